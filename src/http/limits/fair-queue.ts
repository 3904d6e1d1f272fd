/** A line for something dear, in which networks take turns: one that sends many waits for itself. */
export interface FairQueue {
  /** Runs the task when it is the network's turn. `full`: there is no place in the line, and nothing was run. */
  run<Result>(network: string, task: () => Promise<Result>): Promise<Turn<Result>>
}

export type Turn<Result> = { readonly kind: 'done'; readonly result: Result } | { readonly kind: 'full' }

export interface FairQueueOptions {
  /** Tasks that run at the same time. */
  readonly concurrency: number
  readonly maxWaiting: number
}

interface Waiting {
  start(): void
  refuse(): void
}

export function createFairQueue({ concurrency, maxWaiting }: FairQueueOptions): FairQueue {
  // The network whose turn it is comes first.
  const lines = new Map<string, Waiting[]>()
  let running = 0
  let waiting = 0

  const next = (): void => {
    const [turn] = lines
    if (turn === undefined || running >= concurrency) return
    const [network, line] = turn
    const first = line.shift()
    lines.delete(network)
    if (line.length > 0) lines.set(network, line)
    waiting -= 1
    first?.start()
  }
  /**
   * When all places are taken, the newest task of the longest line gives way, unless this network's line would then be
   * as long.
   */
  const makePlace = (network: string): boolean => {
    if (waiting < maxWaiting) return true
    const mine = lines.get(network)?.length ?? 0
    const longest = [...lines.values()].reduce((most, line) => (line.length > most.length ? line : most), [])
    if (longest.length <= mine + 1) return false
    longest.pop()?.refuse()
    waiting -= 1
    return true
  }

  return {
    run: (network, task) =>
      new Promise((resolve, reject) => {
        const start = (): void => {
          running += 1
          task()
            .then((result) => resolve({ kind: 'done', result }), reject)
            .finally(() => {
              running -= 1
              next()
            })
        }
        const refuse = (): void => resolve({ kind: 'full' })
        if (running < concurrency) return start()
        if (!makePlace(network)) return refuse()
        const line = lines.get(network) ?? []
        line.push({ start, refuse })
        lines.set(network, line)
        waiting += 1
      }),
  }
}
