import type { Response } from 'undici'
import { failed, list, noted, passed, type Trial } from './probe.js'
import type { Target } from './target.js'

/**
 * From where a challenge names it, at this upstream and no other host, else from where it is by default.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 RFC 9728 §3.1} and §5.1
 */
export async function readMetadata({ upstream, get }: Target, { headers }: Response): Promise<unknown> {
  const named = /\bresource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1]
  const path = named !== undefined && URL.canParse(named) ? new URL(named).pathname : undefined
  const byDefault = `/.well-known/oauth-protected-resource${upstream.pathname.replace(/\/$/, '')}`
  for (const place of new Set([path ?? byDefault, byDefault])) {
    const value: unknown = await get(new URL(upstream.origin + place))
      .then((answer) => (answer.status === 200 ? answer.json() : undefined))
      .catch(() => undefined)
    if (typeof value === 'object' && value !== null && ('resource' in value || 'authorization_servers' in value))
      return value
  }
  return undefined
}

/** Whether what an API says of itself fits what it will be sent. */
export function metadataTrials(target: Target, metadata: unknown): readonly Trial[] {
  const { route, frontend, upstream, subject: api } = target
  const subject = `${api}: metadata`
  const { audience, from } = target.tokenFor(frontend, route)
  if (typeof metadata !== 'object' || metadata === null) {
    if (from === 'certain' && audience !== undefined)
      return [noted(`${api}: audience`, `its tokens are for ${list(audience)}: is that the audience it expects?`)]
    return []
  }
  const { authority, dpop, certificateBoundAccessTokens } = frontend
  const said = metadata as Readonly<Record<string, unknown>>
  const {
    authorization_servers: servers,
    dpop_signing_alg_values_supported: algorithms,
    scopes_supported: scopes,
  } = said
  const trials: Trial[] = []
  const wrong = (result: string, remedy: string) => trials.push(failed(subject, result, remedy))
  if (Array.isArray(servers) && !servers.includes(authority))
    wrong(
      `it takes access tokens of ${list(servers)} only, not of ${authority}`,
      "Configure the API's verifier with the frontend's Authority as issuer, or send the frontend there.",
    )
  if (dpop && Array.isArray(algorithms) && !algorithms.includes('ES256'))
    wrong(
      'it does not take DPoP proofs with ES256, which is what the gateway makes',
      "Allow ES256 in the API's verifier.",
    )
  if (certificateBoundAccessTokens === true && said.tls_client_certificate_bound_access_tokens === false)
    wrong('it does not check the certificate that tokens are bound to', "Switch it on in the API's verifier.")
  if (!dpop && said.dpop_bound_access_tokens_required === true)
    wrong('it takes DPoP-bound access tokens only', 'Leave UseDPoP and SenderConstraint out of the frontend.')
  const held = new Set(route.scopes.length > 0 ? route.scopes : frontend.scopes)
  if (Array.isArray(scopes) && scopes.length > 0 && !scopes.some((scope) => held.has(scope)))
    trials.push(
      noted(
        subject,
        `it knows the scopes ${list(scopes)}, and the tokens have ${list([...held])}`,
        `Write those that it asks for into Scopes of the route, as in "Scopes": ["${list([scopes[0]])}"].`,
      ),
    )
  trials.push(...audienceTrials(target, said))
  if (
    dpop &&
    typeof said.resource === 'string' &&
    'accepted_audiences' in said &&
    originOf(said.resource) !== upstream.origin
  )
    trials.push(
      noted(
        subject,
        `it believes that it is called at ${list([said.resource])}, and proofs will be made for ${upstream.origin}`,
        `Add "${upstream.origin}" to publicUrl of its verifier, if it is not there yet.`,
      ),
    )
  return trials.length > 0 ? trials : [passed(subject, 'fits the tokens it will get')]
}

/** Whether the tokens are for this API. What no one can know before a login is a question, not an error. */
function audienceTrials(target: Target, said: Readonly<Record<string, unknown>>): readonly Trial[] {
  const { route, frontend, subject, tokenFor } = target
  const { audience, from } = tokenFor(frontend, route)
  const { accepted_audiences: exact, resource } = said
  const accepted: readonly unknown[] = Array.isArray(exact) ? exact : typeof resource === 'string' ? [resource] : []
  if (accepted.length === 0 || audience?.some((name) => accepted.includes(name))) return []
  const [wanted] = accepted
  const write =
    typeof wanted === 'string' && URL.canParse(wanted)
      ? `Write "Resource": ${JSON.stringify(wanted).slice(0, 200)} into the route ${route.path}, and let client ${frontend.clientId} ask for it at the authorization server.`
      : `Let the authorization server put ${list([wanted])} into aud of the tokens of client ${frontend.clientId}.`
  if (audience === undefined)
    return [
      noted(
        `${subject}: audience`,
        `it takes tokens for ${list(accepted)} only, and the route does not say what its tokens are for: that is the authorization server's choice`,
        write,
      ),
    ]
  const result = `it takes tokens for ${list(accepted)} only, and those of the route ${route.path} are for ${list(audience)}: every call would be 401`
  return [
    from === 'certain' || Array.isArray(exact)
      ? failed(`${subject}: audience`, result, write)
      : noted(
          `${subject}: audience`,
          `it calls itself ${list([resource])}, and the route's Resource is ${list(audience)}`,
          'Does the authorization server know that the two are one audience?',
        ),
  ]
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}
