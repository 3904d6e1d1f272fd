import type { Configuration } from '../../config/load.js'
import { createLogLevel, type LogLevelControl } from '../../telemetry/log-level.js'
import { packageVersion } from '../package.js'
import { createAdminToken } from './admin-token.js'
import { type AdminApi, createAdminApi } from './api.js'
import { type Console, createConsole } from './console/console.js'
import { type ProcessParts, processSource } from './process-source.js'
import { createRecentRefusals } from './recent-refusals.js'
import type { AdministrationSource, ConfigurationReport } from './source.js'

/** What the listener for administrators has besides health and metrics. */
export interface AdminHandlers {
  readonly api: AdminApi
  readonly console: Console
}

/** Undefined without an `AdminToken`. */
export function adminHandlers(
  { server: { adminToken } }: Configuration,
  source: AdministrationSource | undefined,
): AdminHandlers | undefined {
  if (adminToken === undefined || source === undefined) return undefined
  const token = createAdminToken(adminToken)
  return {
    api: createAdminApi({ token, source, version: packageVersion() }),
    console: createConsole({ token, source }),
  }
}

export interface OwnSource {
  readonly source: AdministrationSource
  close(): void
}

/** Of this process, whose products come after it. Undefined without an `AdminToken`: then nothing is kept. */
export function ownSource(
  { server: { adminToken, logLevel } }: Configuration,
  parts: Pick<ProcessParts, 'gateway' | 'authorizationServer' | 'sealingKeys' | 'store'> & {
    readonly configuration?: () => ConfigurationReport
    readonly logLevel?: LogLevelControl | undefined
  },
): OwnSource | undefined {
  if (adminToken === undefined) return undefined
  const refusals = createRecentRefusals()
  const startedAt = Date.now() / 1000
  const source = processSource({
    ...parts,
    configuration: parts.configuration ?? (() => ({ generation: 1, takenOverAt: startedAt, needsRestart: [] })),
    logLevel: parts.logLevel ?? createLogLevel({ level: logLevel }),
    refusals,
  })
  return { source, close: refusals.close }
}
