import { publish } from '../telemetry/events.js'
import { createOutage } from '../telemetry/outage.js'

export type DestinationName = 'file' | 'endpoint'

/** Tells of records that do not arrive: each is counted, and a line of the log says so once a minute. */
export interface Losses {
  /** Records that will never arrive. */
  lost(records: number, cause: string): void
  /** An attempt that failed, without a loss so far. */
  failed(cause: string): void
  works(): void
}

export function createLosses(destination: DestinationName): Losses {
  const outage = createOutage({
    onFailing: (cause, count) => publish({ type: 'server.audit.failing', destination, cause, count }),
    onBack: (seconds, count) => publish({ type: 'server.audit.back', destination, seconds, count }),
  })
  return {
    lost(records, cause) {
      publish({ type: 'server.audit.lost', destination, records, cause })
      outage.failed(cause)
    },
    failed: outage.failed,
    works: outage.worked,
  }
}
