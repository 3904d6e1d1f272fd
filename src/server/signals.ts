/** Signals that ask for another configuration. */
export interface HangUps {
  /** Called for each from now on, and at once when one has come already. */
  on(listener: () => void): void
}

/**
 * Handlers before anything else: without one, SIGHUP and SIGUSR2 end the process with all that is under way, and SIGUSR1 opens
 * the debugger. SIGHUP asks for the configuration to be read again, also while the process starts; the others do nothing.
 */
export function hearHangUps(): HangUps {
  let hasCome = false
  let tell = (): void => {
    hasCome = true
  }
  process.on('SIGHUP', () => tell())
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined)
  return {
    on(listener) {
      tell = listener
      if (hasCome) listener()
    },
  }
}
