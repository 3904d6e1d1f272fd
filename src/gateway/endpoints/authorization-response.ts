import { decodeJwt } from 'jose/jwt/decode'
import { ProtocolError, UpstreamError } from '../../errors.js'
import { searchParameters } from '../../http/form-body.js'
import { widestNetworkOf } from '../../http/limits/networks.js'
import { LookedTooOften } from '../oauth/issuer-keys.js'
import { printable } from '../oauth/server-words.js'
import { Refusal } from '../refusal.js'
import type { ProvisionedFrontend } from '../request.js'
import type { EndpointContext } from '../session/koa-session.js'
import { refuseLogin } from './refuse-login.js'

/** What RFC 6749 §4.1.2, RFC 9207, JARM and OpenID Connect send back. Each may come once. */
const protocolParameters = [
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'error_uri',
  'session_state',
  'response',
]

/** What the authorization server has answered. Its issuer is looked at first (RFC 9207 §2.4), and where it has to be signed, its signature. */
export async function authorizationResponse(ctx: EndpointContext): Promise<URLSearchParams> {
  const { frontend, target } = ctx.state.call
  const sent = searchParameters(target.query)
  for (const name of protocolParameters) {
    if (sent.getAll(name).length > 1) throw new Refusal('bff.request.malformed', `"${name}" comes twice`)
  }
  const response = frontend.options.responseMode === 'jwt' ? await signedResponse(ctx, sent) : plainResponse(sent)
  // Of several the login itself has to say which one was asked; what no one of them has sent is not even looked at.
  assertIssuer(response.get('iss'), ...(frontend.authorities?.all ?? [frontend]))
  return response
}

function plainResponse(sent: URLSearchParams): URLSearchParams {
  if (sent.has('response'))
    throw new Refusal('bff.login.failed', 'The answer is a signed one, which was not asked for.', {
      cause: new ProtocolError('invalid_request', 'there is a "response", and ResponseMode is not "jwt"'),
    })
  return sent
}

/** What stands beside a signed response is not signed, and does not count. Without one nothing does, not even an error. */
async function signedResponse({ state: { call, limits } }: EndpointContext, sent: URLSearchParams) {
  const { frontend, client, requestId } = call
  const jwt = sent.get('response')
  if (jwt === null)
    throw new Refusal('bff.login.failed', 'The answer of the authorization server is not signed.', {
      cause: new ProtocolError('invalid_request', 'there is no "response", and ResponseMode is "jwt"'),
    })
  try {
    return await signerOf(jwt, frontend)
      .oauth.forRequest(requestId)
      .readSignedResponse(jwt, widestNetworkOf(client.address))
  } catch (error) {
    const isOfTheSender =
      error instanceof LookedTooOften || (error instanceof UpstreamError && error.code === 'invalid_response')
    // Anybody can send one, and each costs a signature.
    if (isOfTheSender) await limits.callback.take(client.address)
    return refuseLogin(error)
  }
}

/** Whose keys have to fit. One that names none of ours is refused by the first. */
function signerOf(jwt: string, frontend: ProvisionedFrontend): ProvisionedFrontend {
  const { authorities } = frontend
  if (authorities === undefined) return frontend
  try {
    const { iss, aud } = decodeJwt(jwt)
    return authorities.addressed(iss, aud)[0] ?? frontend
  } catch {
    return frontend
  }
}

/** Exactly, as a string (RFC 9207 §2.4). @throws Refusal `bff.login.issuer_mismatch` */
export function assertIssuer(issuer: string | null, ...servers: readonly Pick<ProvisionedFrontend, 'options'>[]): void {
  if (issuer === null && servers.every(({ options }) => !options.requireIssuer)) return
  if (!servers.some(({ options }) => options.authority === issuer)) {
    const named = issuer === null ? 'no issuer' : URL.canParse(issuer) ? printable(issuer) : 'what is no issuer'
    throw new Refusal(
      'bff.login.issuer_mismatch',
      'the answer does not come from the authorization server that was asked',
      {
        cause: new ProtocolError(
          'invalid_request',
          `it names ${named}, and Authority is ${servers.map(({ options }) => options.authority).join(' or ')}`,
        ),
      },
    )
  }
}
