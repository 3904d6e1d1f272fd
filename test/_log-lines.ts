import type { LogOptions } from '../src/telemetry/log.js'

/** A log's destination that takes each line by itself: those of calls come several at once. */
export function eachLine(take: (line: string) => void): NonNullable<LogOptions['destination']> {
  return {
    write(lines) {
      for (const line of lines.split(/(?<=\n)/)) take(line)
    },
  }
}
