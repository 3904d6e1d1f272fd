import type { LogOptions } from './log.js'

export type LogLevel = LogOptions['level']

export interface LogLevelState {
  /** The least important thing that is logged. */
  readonly level: LogLevel
  /** Seconds since the epoch, after which it is what the configuration says. Absent: it is that. */
  readonly until?: number
}

/** Another level for a while, whatever configurations come meanwhile. */
export interface LogLevelControl {
  /** What the configuration says: at once, or as soon as the while is over. */
  configure(level: LogLevel): void
  state(): LogLevelState
  set(level: LogLevel, seconds: number): LogLevelState
}

/** @param logger Its level can be written. */
export function createLogLevel(logger: { level: string }): LogLevelControl {
  let configured = logger.level as LogLevel
  let changed: { readonly until: number; readonly timer: NodeJS.Timeout } | undefined
  const state = (): LogLevelState => ({
    level: logger.level as LogLevel,
    ...(changed && { until: changed.until }),
  })
  return {
    state,
    configure(level) {
      configured = level
      if (changed === undefined) logger.level = level
    },
    set(level, seconds) {
      clearTimeout(changed?.timer)
      const timer = setTimeout(() => {
        changed = undefined
        logger.level = configured
      }, seconds * 1000).unref()
      changed = { until: Date.now() / 1000 + seconds, timer }
      logger.level = level
      return state()
    },
  }
}
