import { ProtocolError } from '../errors.js'
import { Refusal } from './refusal.js'

/** The authorization server said no to us, not to the user: a matter of configuration, which the log's reader can name. */
export function refuseLogin(error: unknown): never {
  if (!(error instanceof ProtocolError)) throw error
  throw new Refusal('bff.login.failed', `The authorization server did not accept the login (${error.code}).`, {
    cause: error,
  })
}
