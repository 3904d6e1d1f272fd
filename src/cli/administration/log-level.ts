import type { Environment } from '../../config/environment.js'
import { printableJson } from '../../http/printable-json.js'
import type { LogLevel } from '../../telemetry/log-level.js'
import type { Output } from '../report.js'
import { createAdminClient } from './admin-client.js'
import { timeOf } from './table.js'

export interface LogLevelOptions {
  readonly file: string
  readonly format: 'text' | 'json'
  /** Default: it is only asked for. */
  readonly level?: LogLevel
  /** How long, as `hh:mm:ss`. Default: ten minutes. */
  readonly time?: string
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

/** `sallyport log-level`: which one is in force, or another one for a while. @throws Error that says what to do */
export async function logLevel({
  file,
  format,
  level,
  time,
  environment = process.env,
  output = process.stdout,
}: LogLevelOptions): Promise<void> {
  if (level === undefined && time !== undefined)
    throw new Error('--for says how long a level is in force. Name the level: sallyport log-level debug --for 00:10:00')
  const { call } = createAdminClient(file, environment)
  const { body } =
    level === undefined
      ? await call('GET', '/admin/log-level', {})
      : await call('PUT', '/admin/log-level', {}, { level, ...(time !== undefined && { for: time }) })
  const state = body as { readonly level: LogLevel; readonly until?: string }
  if (format === 'json') output.write(`${printableJson(state, 2)}\n`)
  else output.write(`${state.level}${state.until === undefined ? '' : ` until ${timeOf(state.until)}`}\n`)
}
