/**
 * A URI without query and fragment, in the form in which two spellings of it compare equal: scheme and host in lower
 * case, no default port, an IPv6 address in its short form, percent-encodings in upper case, `/` for no path. The path is otherwise what it is: case, dots,
 * doubled and trailing slashes count, since routers let them count.
 * @returns undefined for what is not an absolute http, https, ws or wss URI in ASCII.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3, check 9}
 */
export function normalizedTargetUri(uri: string): string | undefined {
  const [, scheme, authority, path] = pattern.exec(uri) ?? []
  if (scheme === undefined || authority === undefined || path === undefined) return undefined
  const lowered = scheme.toLowerCase()
  return `${lowered}://${normalizedAuthority(authority, lowered)}${normalizedPath(path)}`
}

const pattern = /^(https?|wss?):\/\/([!$-.0->A-[\]-~]+)((?:\/[!"$->@-[\]-~]*)?)(?:\?[!"$-~]*)?(?:#[!-~]*)?$/i

export function normalizedAuthority(authority: string, scheme: string): string {
  const [, host = '', digits = ''] = hostAndPort.exec(authority.toLowerCase()) ?? []
  const port = digits.replace(/^0+(?=\d)/, '')
  const isDefault = port === '' || port === (scheme === 'https' || scheme === 'wss' ? '443' : '80')
  return `${host.startsWith('[') ? shortened(host) : host}${isDefault ? '' : `:${port}`}`
}

const hostAndPort = /^(.*?)(?::(\d*))?$/

/** An IPv6 address has many spellings and one short form (RFC 5952). */
function shortened(address: string): string {
  const url = `http://${address}/`
  return URL.canParse(url) ? new URL(url).hostname : address
}

export function normalizedPath(path: string): string {
  if (path === '') return '/'
  return path.includes('%') ? path.replace(/%[0-9a-f]{2}/gi, (encoded) => encoded.toUpperCase()) : path
}
