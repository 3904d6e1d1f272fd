import { createLocalReplayMemory, proofUse } from '../../src/dpop-validator/proof/replay-memory.js'
import { collectGarbage } from './_made-and-closed.js'
import { collectFailures, grown, type Report } from './_report.js'

export interface ManyProofsOptions {
  readonly count: number
  /** Bytes of memory for all of them. */
  readonly growthLimit: number
}

/** Each proof is remembered for as long as it would be accepted: what that costs when they all come at once. */
export async function manyProofs({ count, growthLimit }: ManyProofsOptions): Promise<Report> {
  const failures = collectFailures()
  let now = 1_000_000
  const memory = createLocalReplayMemory({ capacity: count, now: () => now, elapsed: () => now })
  const used = (): number => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  for (let n = 0; n < count; n++) memory.firstUse(proofUse('thumbprint', `${n}`), now + 70)
  const growth = used() - before
  failures.unless(growth < growthLimit, `the heap grew by ${grown(growth)}`)
  now += 90
  failures.unless(memory.firstUse(proofUse('one', 'more'), now + 70), 'what has expired still takes room')
  return { line: `${count} proofs remembered: heap ${grown(growth)}`, failures: failures.list() }
}
