import { decodeJsonSegment } from '../dpop/compact-jws.js'
import { normalizedTargetUri } from '../dpop/target-uri.js'

/** What to do about the commonest mistake: an API behind a proxy that does not know what it is called by outside. */
export function htuHint(proof: string | undefined, uris: readonly string[]): string | undefined {
  const htu = decodeJsonSegment(proof?.split('.')[1] ?? '')?.htu
  const said = typeof htu === 'string' ? normalizedTargetUri(htu) : undefined
  const expected = uris[0]
  if (said === undefined || expected === undefined) return undefined
  const [theirs, ours] = [new URL(said), new URL(expected)]
  const remedy = 'set publicUrl, or trustProxy for a proxy that forwards the protocol and host'
  if (theirs.protocol !== ours.protocol && theirs.hostname === ours.hostname)
    return `htu is ${theirs.protocol}// where this API sees ${ours.protocol}//: ${remedy}`
  if (theirs.host !== ours.host && theirs.pathname === ours.pathname)
    return `htu names another host than this API sees: ${remedy}`
  if (theirs.origin === ours.origin && `${theirs.pathname}/`.endsWith(`${ours.pathname}/`))
    return 'htu has a path prefix that a proxy took off: put it into publicUrl'
  return undefined
}
