/** One directive, with the comma behind it. A quoted value can have commas. */
const element =
  /[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=([!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[^"\\]|\\.)*"))?)?[ \t]*(?:,|$)/y

/**
 * The directives by name in lower case, values as they came. Undefined for what is not made of directives: caches would
 * read that in more than one way.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9111#section-5.2 RFC 9111 §5.2}
 */
export function cacheDirectives(field: string): ReadonlyMap<string, string | undefined> | undefined {
  const directives = new Map<string, string | undefined>()
  for (element.lastIndex = 0; element.lastIndex < field.length; ) {
    const found = element.exec(field)
    if (found === null) return undefined
    const [, name, value] = found
    if (name !== undefined) directives.set(name.toLowerCase(), value)
  }
  return directives
}

/** What a browser's own cache may be told. The others speak to shared caches, or are extensions of unknown meaning. */
const forPrivateCaches = new Set([
  'max-age',
  'must-revalidate',
  'no-cache',
  'no-transform',
  'must-understand',
  'immutable',
  'stale-while-revalidate',
  'stale-if-error',
])

/**
 * `Cache-Control` of an answer that is for one person. A shared cache keeps no answer to a request with `Authorization`
 * unless told so (RFC 9111 §3.5). The browser's request has none, so we say it in its stead, and let nothing say otherwise.
 */
export function personalCacheControl(field: string | undefined): string {
  const directives = field === undefined ? undefined : cacheDirectives(field)
  if (directives === undefined || directives.size === 0 || directives.has('no-store')) return 'no-store'
  const kept = [...directives].filter(([name]) => forPrivateCaches.has(name))
  return [...kept.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)), 'private'].join(', ')
}
