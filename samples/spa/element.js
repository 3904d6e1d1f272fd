/** Text only: nothing that a server answers is ever parsed as HTML. */
export function element(name, content = '', { className, ...properties } = {}) {
  const node = Object.assign(document.createElement(name), properties)
  if (className) node.className = className
  node.append(...[content].flat())
  return node
}

export function definitions(list, entries) {
  list.replaceChildren(
    ...Object.entries(entries).flatMap(([name, value]) => [
      element('dt', name),
      element('dd', typeof value === 'string' ? value : JSON.stringify(value), { className: 'mono' }),
    ]),
  )
  return list
}
