import { readableTime } from '../../server/administration/views.js'
import type { LogLevel } from '../../telemetry/log-level.js'
import { type AdminCommandOptions, adminCommand } from './admin-command.js'

export interface LogLevelOptions extends AdminCommandOptions {
  /** Default: it is only asked for. */
  readonly level?: LogLevel
  /** How long, as `hh:mm:ss`. Default: ten minutes. */
  readonly time?: string
}

/** `sallyport log-level`: which one is in force, or another one for a while. @throws Error that says what to do */
export async function logLevel({ level, time, ...options }: LogLevelOptions): Promise<void> {
  if (level === undefined && time !== undefined)
    throw new Error('--for says how long a level is in force. Name the level: sallyport log-level debug --for 00:10:00')
  const { call, show } = adminCommand(options)
  const { body } =
    level === undefined
      ? await call('GET', '/admin/log-level', {})
      : await call('PUT', '/admin/log-level', {}, { level, ...(time !== undefined && { for: time }) })
  show(
    body as { readonly level: LogLevel; readonly until?: string },
    (state) => `${state.level}${state.until === undefined ? '' : ` until ${readableTime(state.until)}`}\n`,
  )
}
