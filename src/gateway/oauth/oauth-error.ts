import * as openid from 'openid-client'
import { connectionCode, ProtocolError, protocolErrorCodes, UpstreamError } from '../../errors.js'
import { type ServerWords, serverWords } from './server-words.js'

/** The authorization server said no. `message` is ours as in every such error; its own words are for the log. */
export class ServerRefusal extends ProtocolError {
  readonly said: ServerWords

  constructor(said: ServerWords, message = 'the authorization server refused the request') {
    super(protocolErrorCodes.find((known) => known === said.error) ?? 'server_error', message)
    this.said = said
  }
}

/**
 * Sorts what openid-client throws by whose fault it is. Its errors hold responses, tokens and claims in their `cause`:
 * none of that goes on, only names that are its own or RFC 6749's, and what the server said for the log.
 */
export function refuse(error: unknown): never {
  if (error instanceof UpstreamError || error instanceof ProtocolError) throw error
  if (error instanceof openid.ResponseBodyError) {
    assertNotBusy(error)
    throw new ServerRefusal(serverWords(error.error, error.error_description, error.status))
  }
  if (error instanceof openid.WWWAuthenticateChallengeError) {
    const { error: name = 'invalid_client', error_description: description } = error.cause[0]?.parameters ?? {}
    throw new ServerRefusal(
      serverWords(name, description, error.status),
      'the authorization server did not accept our authentication',
    )
  }
  if (error instanceof openid.ClientError) refuseAnswer(error)
  if (error instanceof Error) throw unreachableServer(error)
  throw error
}

/** The same for the token endpoint, whose words may quote what it was sent: a code, a refresh token. They go nowhere. */
export function refuseTokens(error: unknown): never {
  if (!(error instanceof openid.ResponseBodyError)) refuse(error)
  assertNotBusy(error)
  const code = protocolErrorCodes.find((known) => known === error.error)
  throw new ServerRefusal(serverWords(code, undefined, error.status))
}

function assertNotBusy({ status, error }: openid.ResponseBodyError): void {
  if (status === 429 || error === 'temporarily_unavailable')
    throw new UpstreamError('unreachable', 'the authorization server is busy')
}

function refuseAnswer(error: openid.ClientError): never {
  const { code, cause } = error
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT')
    throw new UpstreamError('timeout', 'the authorization server did not answer in time')
  if (cause instanceof UpstreamError) throw cause
  const status = cause instanceof Object && 'status' in cause ? Number(cause.status) : undefined
  if (status !== undefined && status >= 500)
    throw new UpstreamError('unreachable', `the authorization server has trouble of its own (status ${status})`)
  if (code === undefined && cause instanceof Error) throw unreachableServer(cause)
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED')
    throw new UpstreamError('invalid_response', 'the ID token is not valid now: compare the clocks of both servers')
  const detail = algorithmMismatch(cause) ?? (status === undefined ? detailOf(error) : `status ${status}`)
  throw new UpstreamError('invalid_response', `the authorization server's answer is not acceptable (${detail})`)
}

/** The library's texts name members and claims, never their values. */
function detailOf({ code = 'no code', cause }: openid.ClientError): string {
  const text = cause instanceof Error ? cause.message.replaceAll('"response" body ', '') : ''
  return /"\w+"/.test(text) ? `${code}: ${text}` : code
}

function algorithmMismatch(cause: unknown): string | undefined {
  const about = cause instanceof Error ? cause.cause : undefined
  if (!(about instanceof Object && 'header' in about && 'expected' in about)) return undefined
  const { header, expected } = about
  const { alg } = header instanceof Object && 'alg' in header ? header : { alg: undefined }
  const allowed = Array.isArray(expected) ? expected.join(', ') : String(expected)
  return `the token is signed with ${/^\w{1,16}$/.test(String(alg)) ? alg : 'an unreadable algorithm'}, allowed are ${allowed}`
}

/** undici's own error says only "fetch failed"; `cause` may hold addresses, and goes no further than to the log's remedy. */
function unreachableServer(error: Error): UpstreamError {
  const code = connectionCode(error)
  return new UpstreamError(
    'unreachable',
    `the authorization server could not be reached${code === undefined ? '' : ` (${code})`}`,
    { cause: error },
  )
}
