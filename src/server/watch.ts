import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { stampOf } from '../config/files.js'

/** Looks whether files have changed. */
export interface Watch {
  /** From now on these, by what they were when they were read. */
  follow(stamps: ReadonlyMap<string, string>): void
  stop(): void
}

/** Seconds between two looks at a few files; many are looked at less often, so that it costs under one per cent of a core. */
const interval = 1
const filesPerSecond = 300
/** Seconds in which nothing more may have changed: editors write in pieces, volumes swap one link after the other. */
const calm = 0.2
/** Looks after which it is enough: a file that never rests is read as it is. */
const mostLooks = 15

/**
 * Asks for the state of each file, one after the other. `fs.watch` tells nothing on NFS and in many containers' volumes, loses a
 * file that is replaced, and follows no links: see docs/decisions/16-reload.md.
 * @param onChange Called once; then it waits until it is told what to follow.
 */
export function createWatch(onChange: () => void): Watch {
  let round = new AbortController()

  const look = async (stamps: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> => {
    const pause = Math.max(interval, stamps.size / filesPerSecond)
    for (;;) {
      await delay(pause * 1000, undefined, { ref: false, signal })
      const changed = await stampsOf(stamps.keys())
      if (!isSame(stamps, changed)) return settle(changed, signal)
    }
  }
  const settle = async (changed: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> => {
    let last = changed
    for (let looks = 0; looks < mostLooks; looks++) {
      await delay(calm * 1000, undefined, { ref: false, signal })
      const now = await stampsOf(last.keys())
      if (isSame(last, now)) break
      last = now
    }
    if (!signal.aborted) onChange()
  }

  return {
    follow(stamps) {
      round.abort()
      round = new AbortController()
      look(new Map(stamps), round.signal).catch(() => undefined)
    },
    stop: () => round.abort(),
  }
}

/** One after the other: a server of files that hangs holds one thread, and no more. */
async function stampsOf(paths: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>()
  for (const path of paths) stamps.set(path, stampOf(await stat(path, { bigint: true }).catch(() => undefined)))
  return stamps
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  for (const [path, stamp] of one) if (other.get(path) !== stamp) return false
  return true
}
