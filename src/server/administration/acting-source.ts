import { publish } from '../../telemetry/events.js'
import type { AdministrationSource } from './source.js'

/** By whom something is done. */
export interface Actor {
  readonly via: 'api' | 'console'
  readonly address: string
}

/** What changes something leaves a line in the log. */
export function actingSource(source: AdministrationSource, { via, address }: Actor): AdministrationSource {
  const type = 'server.administration.acted'
  return {
    ...source,
    async endSessions(query) {
      const ended = await source.endSessions(query)
      publish({ type, act: 'sessions.end', via, address, ended, ...query })
      return ended
    },
    async endSession(session) {
      const wasThere = await source.endSession(session)
      const { handle, frontend } = session
      publish({
        type,
        act: 'session.end',
        via,
        address,
        ended: wasThere ? 1 : 0,
        session: handle,
        ...(frontend && { frontend }),
      })
      return wasThere
    },
    async setLogLevel(change) {
      const state = await source.setLogLevel(change)
      publish({ type, act: 'log-level.change', via, address, ...change })
      return state
    },
  }
}
