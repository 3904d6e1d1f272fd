import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '../../errors.js'
import { readCompactJws } from '../../jose/compact-jws.js'
import { publish } from '../../telemetry/events.js'
import { futureSkew } from '../defaults.js'
import type { ClientOptions } from '../options.js'
import { verifyJws } from '../tokens/jws.js'
import { certificateFault } from './certificate-authentication.js'
import type { CertificateOf } from './client-certificate.js'
import type { FirstUse } from './replay.js'

/** A client that is who it says. The first use of an assertion is recorded by `consume`, after everything that may ask for a retry. */
export interface AuthenticatedClient {
  readonly client: ClientOptions
  /** @throws ProtocolError `invalid_client` when the assertion was used before. */
  consume(requestId: string): Promise<void>
}

/** @throws ProtocolError `invalid_client` */
export type AuthenticateClient = (
  request: IncomingMessage,
  form: ReadonlyMap<string, string>,
) => Promise<AuthenticatedClient>

export interface ClientAuthenticationOptions {
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly issuer: string
  readonly firstUse: FirstUse
  readonly certificateOf: CertificateOf
  /** Seconds an assertion may live at most: so long its `jti` must be remembered. Default: 3600. */
  readonly maxLifetime?: number
  readonly now: () => number
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Each client by the one method that it is registered with: a key that signs its request objects proves no more than those. */
export function createClientAuthentication({
  clients,
  issuer,
  firstUse,
  certificateOf,
  maxLifetime = 3600,
  now,
}: ClientAuthenticationOptions): AuthenticateClient {
  /** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2 RFC 8705 §2} */
  const byCertificate = (request: IncomingMessage, client: ClientOptions): AuthenticatedClient => {
    if (client.certificateAuthentication === undefined) refuse('a client assertion is required')
    const fault = certificateFault(client.certificateAuthentication, certificateOf(request), now())
    if (fault !== undefined) refuse(fault)
    return { client, consume: async () => undefined }
  }

  /** `private_key_jwt`. @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3 RFC 7523 §3}, FAPI 2.0 §5.3.2.1-8 */
  const byAssertion = async (assertion: string, form: ReadonlyMap<string, string>): Promise<AuthenticatedClient> => {
    if (form.get('client_assertion_type') !== assertionType) refuse('the client assertion type is not jwt-bearer')
    if (assertion.length > 8192) refuse('the client assertion is too long')

    // Only to find the keys. Nothing else is believed before the signature holds.
    const client = clients.get(subjectOf(assertion))
    if (client === undefined) refuse('the client assertion is not of a known client')
    if (client.certificateAuthentication !== undefined) refuse('the client authenticates by its certificate')
    const verified = await verifyJws(assertion, client.keys)
    if (verified === undefined) refuse('the signature of the client assertion does not hold')
    if (!isAssertionType(verified.header.typ)) refuse('the typ of the assertion is that of another kind of JWT')
    const { iss, sub, aud, jti, exp, iat, nbf } = verified.claims

    if (iss !== client.clientId || sub !== client.clientId)
      refuse('the iss and sub of the assertion are not the client')
    const clientId = form.get('client_id')
    if (clientId !== undefined && clientId !== client.clientId) refuse('client_id is not the client of the assertion')
    if (aud !== issuer) refuse('the aud of the assertion is not the issuer identifier as a string')
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) refuse('the jti of the assertion is missing')
    const time = now()
    if (!isTime(exp)) refuse('the exp of the assertion is missing')
    if (exp <= time) refuse('the assertion has expired')
    if (exp > time + maxLifetime + futureSkew) refuse('the assertion lives too long')
    for (const start of [iat, nbf])
      if (start !== undefined && !(isTime(start) && start <= time + futureSkew))
        refuse('the assertion is from the future')

    return {
      client,
      async consume(requestId) {
        if (await firstUse('assertion', client.clientId, jti, exp)) return
        publish({ type: 'as.replay.detected', requestId, kind: 'assertion', client: client.clientId })
        refuse('the client assertion was used before')
      },
    }
  }

  return async (request, form) => {
    const assertion = form.get('client_assertion')
    if (assertion !== undefined) return byAssertion(assertion, form)
    const client = clients.get(form.get('client_id') ?? '')
    // Of one that does not exist no more is said than of one that has to sign.
    if (client === undefined) refuse('a client assertion is required')
    return byCertificate(request, client)
  }
}

function subjectOf(assertion: string): string {
  const sub = readCompactJws(assertion)?.claims.sub
  return typeof sub === 'string' ? sub : ''
}

/** Explicit typing: what the client's key signed for another purpose is no assertion. @see RFC 8725 §3.11 */
function isAssertionType(typ: unknown): boolean {
  return (
    typ === undefined || (typeof typ === 'string' && /^(?:application\/)?(?:client-authentication\+)?jwt$/i.test(typ))
  )
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_client', message)
}
