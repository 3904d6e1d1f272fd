import { normalizedTargetUri } from '../../dpop/target-uri.js'
import { decodeJsonSegment } from '../../jose/compact-jws.js'

/** What to do about the commonest mistake: `publicUrl` is not what clients call this API by. */
export function htuHint(proof: string | undefined, uris: readonly string[]): string | undefined {
  const htu = decodeJsonSegment(proof?.split('.')[1] ?? '')?.htu
  const theirs = partsOf(typeof htu === 'string' ? normalizedTargetUri(htu) : undefined)
  const ours = partsOf(uris[0])
  if (theirs === undefined || ours === undefined) return undefined
  const remedy = `publicUrl says ${ours.scheme}://${ours.host}. Write there what clients call this API by`
  if (theirs.scheme !== ours.scheme && theirs.hostname === ours.hostname)
    return `htu begins with ${theirs.scheme}://, and ${remedy}`
  if (theirs.host !== ours.host && theirs.path === ours.path)
    return `htu names the host ${theirs.host?.slice(0, 100)}, and ${remedy}`
  if (theirs.scheme === ours.scheme && theirs.host === ours.host && `${theirs.path}/`.endsWith(`${ours.path}/`))
    return 'htu has a path prefix that a proxy took off: put it into publicUrl'
  return undefined
}

/** Not with `URL`, which throws on some of what the sender may write: `https://a:99999/`, `https://a|b/`. */
function partsOf(normalized: string | undefined) {
  const [, scheme, host, hostname, path] = /^(https?):\/\/(([^/]*?)(?::\d+)?)(\/.*)$/.exec(normalized ?? '') ?? []
  return scheme === undefined ? undefined : { scheme, host, hostname, path }
}
