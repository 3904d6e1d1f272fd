import type { AuthorizationServer } from '../../authorization-server/authorization-server.js'
import type { Gateway } from '../../gateway/gateway.js'
import type { Store } from '../../store/store.js'
import type { LogLevelControl } from '../../telemetry/log-level.js'
import type { RecentRefusals } from './recent-refusals.js'
import type { AdministrationSource, ConfigurationReport } from './source.js'

export interface ProcessParts {
  readonly gateway: () => Gateway | undefined
  readonly authorizationServer: () => Pick<AuthorizationServer, 'signingKeys'> | undefined
  readonly sealingKeys: () => number
  readonly configuration: () => ConfigurationReport
  readonly refusals: RecentRefusals
  readonly store: Pick<Store, 'get' | 'addIfAbsent'>
  readonly logLevel: LogLevelControl
}

/** What this process knows. */
export function processSource(parts: ProcessParts): AdministrationSource {
  const sessions = () => parts.gateway()?.sessions
  return {
    async report() {
      const gateway = parts.gateway()
      return {
        ...(gateway && { gateway: gateway.state() }),
        signingKeys: parts.authorizationServer()?.signingKeys() ?? [],
        sealingKeys: parts.sealingKeys(),
        configuration: parts.configuration(),
        refusals: parts.refusals.all(),
        logLevel: parts.logLevel.state(),
      }
    },
    listSessions: async ({ query, paging }) => (await sessions()?.list(query, paging)) ?? { sessions: [] },
    endSessions: async (query) => (await sessions()?.end(query)) ?? 0,
    endSession: async ({ handle, frontend }) => (await sessions()?.endOne(handle, frontend)) ?? false,
    endConsoleSession: ({ id, until }) => parts.store.addIfAbsent(consoleEnd(id), '', until),
    isConsoleSessionEnded: async ({ id }) => (await parts.store.get(consoleEnd(id))) !== undefined,
    setLogLevel: async ({ level, seconds }) => parts.logLevel.set(level, seconds),
  }
}

function consoleEnd(id: string): string {
  return `console-end:${id}`
}
