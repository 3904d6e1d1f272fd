/** Text only: nothing that a message carries is ever parsed as HTML. */
export function element(name, content = '', { className, ...properties } = {}) {
  const node = Object.assign(document.createElement(name), properties)
  if (className) node.className = className
  node.append(...[content].flat().filter((part) => part !== undefined && part !== false))
  return node
}

/** A link that leaves this page. */
export function outward(text, href) {
  return element('a', text, { href, target: '_blank', rel: 'noreferrer' })
}
