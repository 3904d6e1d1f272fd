import { setTimeout as delay } from 'node:timers/promises'

/** Work of some length that yields wherever it may pause. */
export type Sliced<Result> = Generator<undefined, Result, undefined>

/** Milliseconds of work without a pause. */
const slice = 10

/** For those who can wait: a process that starts, a command. */
export function atOnce<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

/**
 * For a process that serves meanwhile: after each slice it pauses as long as it has worked. A turn of the event loop would not
 * do: a call takes several, and would meet a slice in each of them.
 */
export async function inSlices<Result>(work: Sliced<Result>): Promise<Result> {
  let since = performance.now()
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    const worked = performance.now() - since
    if (worked < slice) continue
    await delay(worked)
    since = performance.now()
  }
}
