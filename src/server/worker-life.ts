import type { Worker } from 'node:cluster'

/** Seconds. */
export interface LifeWatch {
  /** Between two questions whether a worker is still alive. */
  readonly interval: number
  /** Without an answer, after which it is ended: its callers wait in vain, and another one would serve them. */
  readonly patience: number
}

const question = 'alive?'
const answer = 'alive'

/** Ends a worker that answers no more: one that is stopped, or loops. @param onHanging told before it is ended */
export function watchLife(
  worker: Worker,
  onHanging: () => void,
  { interval, patience }: LifeWatch = { interval: 2, patience: 15 },
): void {
  let answeredAt = performance.now()
  worker.on('message', (message) => {
    if (message === answer) answeredAt = performance.now()
  })
  let askedAt = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    // A primary that was stopped itself has heard nothing meanwhile.
    const wasAway = now - askedAt > 2 * interval * 1000
    askedAt = now
    if (wasAway) answeredAt = now
    if (now - answeredAt > patience * 1000) {
      onHanging()
      worker.process.kill('SIGKILL')
    } else if (worker.isConnected()) worker.send(question)
  }, interval * 1000)
  worker.once('exit', () => clearInterval(timer))
}

export function answerLifeSigns(): void {
  process.on('message', (message) => {
    if (message === question) process.send?.(answer)
  })
}
