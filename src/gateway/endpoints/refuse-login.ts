import { ProtocolError, UpstreamError } from '../../errors.js'
import { Refusal } from '../refusal.js'

/**
 * The authorization server said no to us, not to the user, or something that we must not believe: a matter of
 * configuration, which the log's reader can name. A server that is not there may be there in a moment.
 */
export function refuseLogin(error: unknown): never {
  if (error instanceof UpstreamError && error.code === 'invalid_response')
    throw new Refusal('bff.login.failed', `The login cannot be believed: ${error.message}.`, { cause: error })
  if (!(error instanceof ProtocolError)) throw error
  const hint = error.code === 'invalid_client' ? ': compare the key that is registered there, and the clocks' : ''
  throw new Refusal('bff.login.failed', `The authorization server did not accept the login (${error.code})${hint}.`, {
    cause: error,
  })
}
