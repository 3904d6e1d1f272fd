import { ProtocolError } from '../../errors.js'
import { isJsonObject } from '../../jose/json-object.js'
import { futureSkew } from '../defaults.js'
import type { ClientOptions } from '../options.js'
import { verifyJws } from '../tokens/jws.js'

/**
 * The parameters of a request object, as a form would have brought them.
 * @throws ProtocolError `invalid_request_object` for the object itself, `invalid_request` for a parameter in it
 */
export type ReadRequestObject = (object: string, client: ClientOptions) => Promise<ReadonlyMap<string, string>>

export interface RequestObjectOptions {
  readonly issuer: string
  readonly now: () => number
}

/** Seconds. FAPI 2.0 Message Signing §5.3.1-3 and -4. */
const maxAge = 3600
const maxLength = 32_768

/**
 * Signed by the client that was authenticated, meant for this server, and fresh. It may be pushed again: who does so has
 * to authenticate anew each time, and after a nonce challenge a client sends the same one once more.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9101#section-6 RFC 9101 §6}, FAPI 2.0 Message Signing §5.3.1
 */
export function createRequestObjectReader({ issuer, now }: RequestObjectOptions): ReadRequestObject {
  return async (object, client) => {
    if (object.length > maxLength) refuse('the request object is too long')
    const verified = await verifyJws(object, client.keys)
    if (verified === undefined) refuse('the signature of the request object does not hold')
    const { header, claims } = verified
    const { iss, sub, aud, nbf, exp, iat, jti } = claims
    if (!isRequestObjectType(header.typ)) refuse('the typ of the request object is that of another kind of JWT')
    if (iss !== client.clientId) refuse('the iss of the request object is not the client')
    if (claims.client_id !== client.clientId) refuse('the client_id in the request object is not the client')
    // What the same key signs to authenticate the client says this of its subject (RFC 9101 §10.8).
    if (sub === client.clientId) refuse('the sub of the request object is the client, as in a client assertion')
    if (aud !== issuer && !(Array.isArray(aud) && aud.includes(issuer)))
      refuse('the aud of the request object is not the issuer identifier')
    const time = now()
    if (!isTime(nbf)) refuse('the nbf of the request object is missing')
    if (!isTime(exp)) refuse('the exp of the request object is missing')
    if (nbf > time + futureSkew) refuse('the request object is from the future')
    if (exp <= time) refuse('the request object has expired')
    // And so its nbf is not more than 60 minutes ago, either.
    if (exp - nbf > maxAge) refuse('the request object lives longer than 60 minutes')
    if (iat !== undefined && !(isTime(iat) && iat <= time + futureSkew)) refuse('the request object is from the future')
    if (jti !== undefined && typeof jti !== 'string') refuse('the jti of the request object is not a text')
    for (const name of ['request', 'request_uri']) if (name in claims) refuse(`${name} is in the request object`)
    return parametersOf(claims)
  }
}

/** Explicit typing where there is any. @see RFC 9101 §10.8 */
function isRequestObjectType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(?:application\/)?(?:oauth-authz-req\+)?jwt$/i.test(typ))
}

/** Those that an authorization request may have here: a text each, unless the next table says otherwise. */
const texts = [
  'response_type',
  'response_mode',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'dpop_jkt',
  'prompt',
  'acr_values',
  'ui_locales',
  'login_hint',
  'id_token_hint',
]

/** As JSON has them in a request object. Undefined: not so. */
const others: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  max_age: (value) => (Number.isSafeInteger(value) ? String(value) : undefined),
  resource: (value) =>
    Array.isArray(value) && value.every((uri) => typeof uri === 'string') ? value.join(' ') : textOf(value),
  claims: (value) => (isJsonObject(value) ? JSON.stringify(value) : undefined),
  authorization_details: (value) => (Array.isArray(value) ? JSON.stringify(value) : undefined),
}

/** What is neither of these is no parameter that this server knows, and is ignored (RFC 6749 §3.1). */
function parametersOf(claims: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const [name, value] of Object.entries(claims)) {
    const read = Object.hasOwn(others, name) ? others[name] : texts.includes(name) ? textOf : undefined
    if (read === undefined) continue
    const text = read(value)
    if (text === undefined)
      throw new ProtocolError('invalid_request', `${name} in the request object is of a wrong type`)
    if (text !== '') parameters.set(name, text)
  }
  return parameters
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_request_object', message)
}
