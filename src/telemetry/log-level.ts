import type { LoggerOptions } from './log.js'

export type LogLevel = LoggerOptions['level']

export interface LogLevelState {
  /** The least important thing that is logged. */
  readonly level: LogLevel
  /** Seconds since the epoch, after which it is what the configuration says. Absent: it is that. */
  readonly until?: number
}

/** Another level for a while. */
export interface LogLevelControl {
  state(): LogLevelState
  set(level: LogLevel, seconds: number): LogLevelState
}

/** @param logger Its level can be written. */
export function createLogLevel(logger: { level: string }): LogLevelControl {
  let changed: { readonly before: string; readonly until: number; readonly timer: NodeJS.Timeout } | undefined
  const state = (): LogLevelState => ({
    level: logger.level as LogLevel,
    ...(changed && { until: changed.until }),
  })
  return {
    state,
    set(level, seconds) {
      const before = changed?.before ?? logger.level
      clearTimeout(changed?.timer)
      const timer = setTimeout(() => {
        changed = undefined
        logger.level = before
      }, seconds * 1000).unref()
      changed = { before, until: Date.now() / 1000 + seconds, timer }
      logger.level = level
      return state()
    },
  }
}
