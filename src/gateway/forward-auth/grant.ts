import type { ServerResponse } from 'node:http'
import type { AskedRequest } from '../../http/forward-auth/asked-request.js'
import type { TellIdentity } from '../../http/forward-auth/identity-fields.js'
import { answerYes } from '../../http/forward-auth/yes.js'
import type { Authorize } from '../forwarding/dpop.js'
import { mayGoUp } from '../forwarding/fields.js'
import { type Headers, hopByHop } from '../forwarding/headers.js'
import { report } from '../forwarding/report.js'
import { cookiesOfOthers } from '../forwarding/request-headers.js'
import { addressing } from '../forwarding/upstream.js'
import { assertionField } from '../identity/identity-assertion.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest, ProxiedRequest } from '../request.js'

interface Granting {
  readonly authorize: Authorize
  readonly identity: TellIdentity
  /** From then on the answer may be a yes. */
  readonly grants: () => void
  readonly asked: () => AskedRequest | undefined
}

/** Lets a proxy forward a request that has passed every step, and says what goes along in place of what the browser sent. */
export function createGrant({ authorize, identity, grants, asked }: Granting) {
  return async (call: GatewayRequest | ProxiedRequest, response: ServerResponse): Promise<void> => {
    const question = asked()
    if ('route' in call) assertNoAssertion(call)
    if (question === undefined || question.about === 'refusal')
      throw new Refusal('bff.forward_auth.changed', 'what was refused a moment ago may pass now: repeat the request')
    const proxied = 'route' in call ? call : undefined
    const { authorization = '', dpop = '', ...assertion } = proxied ? await credentialsOf(proxied, authorize) : {}
    if (response.destroyed) return
    const { frontend, request, requestId } = call
    grants()
    answerYes(response, question, {
      fields: {
        Authorization: String(authorization),
        DPoP: String(dpop),
        ...assertion,
        Cookie: cookiesOfOthers(request.headers.cookie ?? ''),
        'X-Request-Id': requestId,
        ...identity(proxied?.open?.session.record.claims ?? {}),
      },
      cookieFirst: frontend.sessionCookie,
      ...(question.kind === 'envoy' && { dropped: Object.keys(request.headers).filter(goesNoFurther) }),
    })
    if (proxied !== undefined) report(proxied, response.statusCode, 0)
  }
}

/**
 * Who the user is, on a route that asserts it, is never a client's to say: a proxy would pass its field on where we have none to
 * take its place, and beside ours where an API reads `X_Identity_Assertion` as the same.
 */
function assertNoAssertion({ route: { identityAssertion }, request }: ProxiedRequest): void {
  if (identityAssertion === undefined) return
  const field = assertionField(identityAssertion)
  for (const name in request.headers)
    if (name.replace(/[^a-z0-9]/g, '-') === field)
      throw new Refusal('bff.forward_auth.forged_field', `no client may send the field "${field}"`)
}

/** What Envoy writes over what a client has sent. */
const ofEnvoy = /^(?:host$|x-forwarded-(?:for|proto|client-cert)$|x-envoy-)/

/** What the gateway would drop, but for what Envoy writes itself and what frames the message. */
function goesNoFurther(name: string): boolean {
  return !mayGoUp(name) && !hopByHop.has(name) && !ofEnvoy.test(name)
}

/** For the URL that the route names, by which its API knows itself: of several upstreams the first. */
async function credentialsOf(
  { route, upstreamTarget, request, credentials }: ProxiedRequest,
  authorize: Authorize,
): Promise<Headers> {
  const [upstream] = route.upstreams
  if (upstream === undefined || credentials.kind === 'none') return {}
  const url = addressing(upstream)(upstreamTarget)
  const nonce = credentials.kind === 'dpop' ? credentials.prover.recallNonce(url.origin) : undefined
  return authorize({}, credentials, { method: request.method ?? '', url, nonce })
}
