import { clientOf, clientsOf } from '../authorities/authorities.js'
import type { FrontendOptions } from '../options.js'
import type { ServerClient, SessionRecord } from './session-record.js'

/** The authorization servers that a frontend's sessions are of. */
export interface SessionClients {
  readonly all: readonly ServerClient[]
  /** Undefined: the configuration has the session's own no longer. */
  of(record: SessionRecord): ServerClient | undefined
}

export function sessionClients(options: FrontendOptions): SessionClients {
  const clients = clientsOf(options)
  return { all: clients.map((client) => client.options), of: (record) => clientOf(clients, record)?.options }
}
