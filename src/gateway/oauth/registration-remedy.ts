import type { SignatureAlgorithm } from '../../jose/jwk.js'
import type { ClientSecretMethod } from '../authorities/authority-options.js'
import { endpointPath } from '../endpoints/endpoint-paths.js'

/** What an authorization server said when it refused: its own words, which no browser gets to see. */
export interface ServerRefusal {
  /** `error` of RFC 6749 §5.2 and its relatives, or undefined when the answer had none. */
  readonly code: string | undefined
  /** `error_description`. */
  readonly description: string | undefined
}

/** What we are to that server, in the words of the operator who registers us there. */
export interface Registration {
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  /** Of the client's key, for assertions or requests. Undefined: it has none. */
  readonly algorithm: SignatureAlgorithm | undefined
  /** What it is known by where it is known by mutual TLS. */
  readonly certificate?: {
    readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth'
    /** RFC 4514. */
    readonly subject: string
  }
  /** How it shows its secret, where it has one. */
  readonly secretMethod?: ClientSecretMethod
  /** Whether its requests are signed request objects. */
  readonly signedRequests?: boolean
}

/** What an operator has to do about it. Servers share the codes; what exactly is wrong stands in the description, if anywhere. */
export function remedyFor(refusal: ServerRefusal, registration: Registration): string {
  const { clientId, redirectUri, scopes, resources } = registration
  const said = (refusal.description ?? '').toLowerCase()
  switch (refusal.code) {
    case 'invalid_client':
      return authenticationRemedy(said, registration)
    case 'unauthorized_client':
      return `Allow client ${clientId} the authorization code grant (the standard flow) and pushed authorization requests there.`
    case 'invalid_scope':
      return `Allow client ${clientId} these scopes there, or ask for fewer: ${scopes.join(' ')}.`
    case 'invalid_target':
    case 'invalid_resource':
      return resources.length === 0
        ? `Allow client ${clientId} an API there: the server wants to know which one the token is for. Name it as Resource of the route.`
        : `Register these APIs there and allow client ${clientId} to ask for them, or correct the Resource of the routes: ${resources.join(' ')}.`
    case 'invalid_authorization_details':
      return `Allow client ${clientId} these types of authorization_details there, and compare AuthorizationDetails with what the server wants of each.`
    case 'invalid_redirect_uri':
      return redirectUriRemedy(registration)
    case 'invalid_dpop_proof':
    case 'use_dpop_nonce':
      return 'Compare the clocks of both servers, and let the server take DPoP proofs with ES256.'
    case 'invalid_request_object':
    case 'invalid_request_uri':
    case 'request_not_supported':
      return requestObjectRemedy(registration)
    case 'invalid_grant':
      return 'The code or refresh token is used up, ended or of another client or key: compare the clocks, and the lifetimes there.'
    case 'unsupported_grant_type':
    case 'unsupported_response_type':
      return `Allow the authorization code grant with response_type "code" there, for client ${clientId}.`
    case 'access_denied':
      return `Nothing, where the user has cancelled there; otherwise the server's log says why it does not let client ${clientId} or this user in.`
    case 'server_error':
    case 'temporarily_unavailable':
      return "The fault is the server's own: look into its log."
    default:
      break
  }
  if (/redirect/.test(said)) return redirectUriRemedy(registration)
  if (/scope/.test(said)) return `Allow client ${clientId} these scopes there, or ask for fewer: ${scopes.join(' ')}.`
  if (/resource|audience/.test(said))
    return `Register these APIs there, or correct the Resource of the routes: ${resources.join(' ') || 'none is named'}.`
  if (/request object|\bjar\b|'request'/.test(said)) return requestObjectRemedy(registration)
  if (/assertion|client_id|authentication|unknown client|client not found/.test(said))
    return authenticationRemedy(said, registration)
  if (/dpop/.test(said)) return 'Let the server take DPoP proofs with ES256, and compare the clocks of both.'
  return `Compare the registration of client ${clientId} there with: ${authenticationOf(registration)}, redirect URI ${redirectUri}, scopes ${scopes.join(' ')}.`
}

function authenticationOf({ algorithm, certificate, secretMethod }: Registration): string {
  return certificate?.method ?? secretMethod ?? `private_key_jwt, ${algorithm}`
}

function certificateRemedy(clientId: string, { method, subject }: NonNullable<Registration['certificate']>): string {
  const known =
    method === 'tls_client_auth'
      ? `with the subject of its certificate (tls_client_auth_subject_dn), "${subject}", or a name in it, and have the server trust the authority that issued it`
      : `with its key (x5c) or the URL of its key set: {PublicUrl}${endpointPath('{PathPrefix}', 'jwks')}`
  return `Register client ${clientId} there for ${method}, ${known}. Does the server, or the proxy in front of it, ask for client certificates at this address?`
}

function requestObjectRemedy({ clientId, algorithm, signedRequests }: Registration): string {
  return signedRequests
    ? `Allow client ${clientId} signed request objects (JAR) there, with ${algorithm} (request_object_signing_alg), and compare the clocks of both servers.`
    : `Write "UseSignedRequests": true, or do not require signed request objects (JAR) of client ${clientId} there.`
}

function redirectUriRemedy({ clientId, redirectUri }: Registration): string {
  return `Register exactly this redirect URI for client ${clientId} there: ${redirectUri}`
}

function authenticationRemedy(said: string, { clientId, algorithm, certificate, secretMethod }: Registration): string {
  if (certificate !== undefined) return certificateRemedy(clientId, certificate)
  if (secretMethod !== undefined)
    return `Is ClientSecret the secret of client ${clientId} there, and is the client registered for ${secretMethod}?`
  if (/algorithm|\balg\b/.test(said))
    return `Allow client ${clientId} the algorithm ${algorithm} there (token_endpoint_auth_signing_alg), or make a key for the one it has: \`npx --no-install sallyport keygen --alg …\`.`
  if (/expired|\bexp\b|\biat\b|\bnbf\b|future|lifetime/.test(said)) return 'Compare the clocks of both servers.'
  if (/\baud(?:ience)?\b/.test(said))
    return 'Let the server take its issuer identifier as the audience of client assertions (FAPI 2.0 §5.3.3.1), and compare it with Authority.'
  if (/\bsecret\b/.test(said) && !/credential/.test(said))
    return `Register client ${clientId} there for private_key_jwt (a signed JWT) instead of a secret.`
  if (/signature|public key|\bjwks?\b|\bkeys?\b|\bkid\b/.test(said))
    return `Register the public key of ClientSigningKeyJwk for client ${clientId} there (it has ${algorithm}), or the URL of its key set: {PublicUrl}${endpointPath('{PathPrefix}', 'jwks')}.`
  if (/(?:not|un)[ -]?known|known client|not found|invalid client\b|no such client|credential|client_id/.test(said))
    return `Is there a client ${clientId} at this server? If so: register the public key of ClientSigningKeyJwk for it, with private_key_jwt and ${algorithm}.`
  return `Register client ${clientId} there with private_key_jwt, the algorithm ${algorithm} and the public key of ClientSigningKeyJwk. The server does not say which of these is wrong.`
}
