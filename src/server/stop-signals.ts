import type { Running } from './run.js'

/** SIGTERM and SIGQUIT come from what manages the process, and a balancer in front has still to hear of it; SIGINT from a person. */
const signals = { SIGTERM: 'politely', SIGQUIT: 'politely', SIGINT: 'at once' } as const

export interface StopSignals {
  /** From now on the first signal stops this, and the process ends with 0 when it has stopped. */
  stops(running: Pick<Running, 'stop'>): void
}

/**
 * Listens from the beginning: as process 1 of a container it would otherwise ignore them. A signal before anything is served
 * ends the process; a second one ends it at once, whatever is still under way.
 * @param onFault Told why stopping has failed; the process ends with 1 then.
 */
export function listenForStop(onFault: (error: unknown) => void): StopSignals {
  let running: Pick<Running, 'stop'> | undefined
  let isStopping = false
  for (const [signal, manner] of Object.entries(signals))
    process.on(signal, () => {
      if (isStopping) process.exit(1)
      if (running === undefined) process.exit(0)
      isStopping = true
      running.stop(manner).then(
        () => process.exit(0),
        (error: unknown) => {
          onFault(error)
          process.exit(1)
        },
      )
    })
  return {
    stops(started) {
      running = started
    },
  }
}
