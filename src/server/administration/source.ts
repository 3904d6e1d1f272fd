import type { SigningKeyState } from '../../authorization-server/authorization-server.js'
import type { FrontendChanges, GatewayState, SessionPage, SessionPaging, SessionQuery } from '../../gateway/gateway.js'
import type { LogLevelState } from '../../telemetry/log-level.js'
import type { RecentRefusal } from './recent-refusals.js'

/**
 * What the admin API and the console ask: this process, or all workers by the one that asks them. Everything in it can be
 * written as JSON, and nothing is a secret.
 */
export interface AdministrationSource {
  report(): Promise<ProcessReport>
  /** @throws RangeError for a page that none follows @throws UpstreamError while the store does not answer */
  listSessions(asked: { readonly query: SessionQuery; readonly paging?: SessionPaging }): Promise<SessionPage>
  /** How many it has ended. */
  endSessions(query: SessionQuery): Promise<number>
  /** False: there is none. */
  endSession(session: { readonly handle: string; readonly frontend?: string }): Promise<boolean>
  /** Someone has signed out of the console: no process takes the session's cookie any more. @param until seconds since the epoch */
  endConsoleSession(session: { readonly id: string; readonly until: number }): Promise<boolean>
  /** @throws UpstreamError while the store does not answer */
  isConsoleSessionEnded(session: { readonly id: string }): Promise<boolean>
  /** For so many seconds; then it is what the configuration says. */
  setLogLevel(change: { readonly level: LogLevelState['level']; readonly seconds: number }): Promise<LogLevelState>
}

export interface ProcessReport {
  /** Absent where there are no frontends. */
  readonly gateway?: GatewayState
  /** Of the embedded authorization server. */
  readonly signingKeys: readonly SigningKeyState[]
  readonly sealingKeys: number
  readonly configuration: ConfigurationReport
  /** The newest first. */
  readonly refusals: readonly RecentRefusal[]
  readonly logLevel: LogLevelState
}

/** Which configuration is served. Times are seconds since the epoch. */
export interface ConfigurationReport {
  /** 1 for the one that the process started with. */
  readonly generation: number
  readonly takenOverAt: number
  /** Names of the frontends in which it differs from the one before; undefined for the first. */
  readonly changes?: FrontendChanges
  /** What the file says and needs a restart. */
  readonly needsRestart: readonly string[]
  /** The last one that was not taken over, unless another has been since. */
  readonly refused?: { readonly at: number; readonly problems: readonly string[] }
}
