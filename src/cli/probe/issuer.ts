import type { IssuerFetch } from '../../gateway/oauth/issuer-fetch.js'
import { adviceFor, failed, list, noted, passed, reasonOf, type Trial } from './probe.js'

/** What an authorization server says of itself (RFC 8414), as it was sent. */
export type IssuerMetadata = Readonly<Record<string, unknown>>

/** The texts of a list in it. Undefined where there is no such list. */
export function textsOf(metadata: IssuerMetadata, name: string): readonly string[] | undefined {
  const value = metadata[name]
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : undefined
}

export interface IssuerTrial {
  readonly trials: readonly Trial[]
  /** Undefined: it could not be read, or is another server's. */
  readonly metadata: IssuerMetadata | undefined
}

export async function tryIssuer(authority: string, fetch: IssuerFetch): Promise<IssuerTrial> {
  const subject = `${authority}: discovery`
  const url = `${authority.replace(/\/$/, '')}/.well-known/openid-configuration`
  const wrong = (result: string, remedy: string): IssuerTrial => ({
    trials: [failed(subject, result, remedy)],
    metadata: undefined,
  })
  const asked = Date.now()
  let response: Response
  let metadata: IssuerMetadata
  try {
    response = await fetch(url, {})
    if (response.status !== 200) {
      // RFC 8414 §5: a server without OpenID Connect may have its own document only.
      const { origin, pathname } = new URL(authority)
      const plain = await fetch(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`, {})
      if (plain.status === 200) response = plain
    }
    if (response.status !== 200)
      return wrong(`${url} answers ${response.status}`, 'Is Authority the issuer identifier, with its whole path?')
    const value: unknown = await response.json()
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return wrong(`${url} is not a JSON object`, 'Is Authority the issuer identifier, with its whole path?')
    metadata = value as IssuerMetadata
  } catch (error) {
    return wrong(`${url} cannot be read: ${reasonOf(error)}`, adviceFor(error, { certificates: 'Bff.AuthorityCaFile' }))
  }
  if (metadata.issuer !== authority)
    return wrong(
      `the server calls itself ${list([typeof metadata.issuer === 'string' ? JSON.stringify(metadata.issuer) : metadata.issuer])}`,
      'Write exactly that as Authority: issuers are compared character by character.',
    )
  const keys = await tryKeys(authority, metadata, fetch)
  return {
    trials: [
      passed(subject, 'found, and the issuer is the configured one'),
      clockTrial(authority, response, asked),
      ...keys,
    ],
    metadata,
  }
}

/** Assertions and proofs live for about a minute: so far clocks may be apart, not further. */
function clockTrial(authority: string, response: Response, asked: number): Trial {
  const subject = `${authority}: clock`
  const theirs = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return noted(subject, 'it does not say what time it is')
  // The header has whole seconds, and the answer took its time.
  const ours = (asked + Date.now()) / 2
  const skew = Math.round(Math.abs(theirs + 500 - ours) / 1000)
  if (skew < 5) return passed(subject, 'agrees with ours')
  const result = `${skew} seconds ${theirs < ours ? 'behind' : 'ahead of'} ours`
  const remedy = 'Synchronise both machines by NTP.'
  return skew < 10 ? noted(subject, result, remedy) : failed(subject, result, remedy)
}

/** Silent when all is well: that keys come is part of discovery. */
async function tryKeys(authority: string, { jwks_uri: url }: IssuerMetadata, fetch: IssuerFetch): Promise<Trial[]> {
  const subject = `${authority}: keys`
  if (typeof url !== 'string')
    return [
      failed(subject, 'its metadata has no jwks_uri', 'Nothing that it signs can be verified: use another server.'),
    ]
  try {
    const response = await fetch(url, {})
    const value = (await response.json()) as { readonly keys?: unknown }
    if (response.status === 200 && Array.isArray(value.keys) && value.keys.length > 0) return []
    return [
      failed(subject, `${list([url])} answers ${response.status} and no keys`, 'Look into the log of that server.'),
    ]
  } catch (error) {
    const remedy = adviceFor(error, { certificates: 'Bff.AuthorityCaFile' })
    return [failed(subject, `${list([url])} cannot be read: ${reasonOf(error)}`, remedy)]
  }
}
