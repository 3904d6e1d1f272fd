import { decodeJsonSegment } from '../dpop/compact-jws.js'
import { normalizedTargetUri } from '../dpop/target-uri.js'

/** What to do about the commonest mistake: an API behind a proxy that does not know what it is called by outside. */
export function htuHint(proof: string | undefined, uris: readonly string[]): string | undefined {
  const htu = decodeJsonSegment(proof?.split('.')[1] ?? '')?.htu
  const theirs = partsOf(typeof htu === 'string' ? normalizedTargetUri(htu) : undefined)
  const ours = partsOf(uris[0])
  if (theirs === undefined || ours === undefined) return undefined
  const remedy = 'set publicUrl, or trustProxy for a proxy that forwards the protocol and host'
  if (theirs.scheme !== ours.scheme && theirs.hostname === ours.hostname)
    return `htu is ${theirs.scheme}:// where this API sees ${ours.scheme}://: ${remedy}`
  if (theirs.host !== ours.host && theirs.path === ours.path)
    return `htu names another host than this API sees: ${remedy}`
  if (theirs.scheme === ours.scheme && theirs.host === ours.host && `${theirs.path}/`.endsWith(`${ours.path}/`))
    return 'htu has a path prefix that a proxy took off: put it into publicUrl'
  return undefined
}

/** Not with `URL`, which throws on some of what the sender may write: `https://a:99999/`, `https://a|b/`. */
function partsOf(normalized: string | undefined) {
  const [, scheme, host, hostname, path] = /^(https?):\/\/(([^/]*?)(?::\d+)?)(\/.*)$/.exec(normalized ?? '') ?? []
  return scheme === undefined ? undefined : { scheme, host, hostname, path }
}
