import type { Outage } from '../telemetry/outage.js'

/** Which folder, and how long it may take. */
export interface FileStoreOptions {
  /**
   * The folder of the database, on a disk of this machine: it is mapped into memory, which network file systems cannot do.
   * Made when it is not there, for its owner alone. Several processes may share it.
   */
  readonly path: string
  /** Seconds one write may take before the store counts as unavailable. Default: 5. */
  readonly timeout?: number
  /** Is told of each operation that fails and each that works. */
  readonly outage?: Outage
}

/** What holds where an option is left out, in the units of the options. */
export const fileStoreDefaults = {
  timeout: 5,
} as const satisfies Partial<FileStoreOptions>
