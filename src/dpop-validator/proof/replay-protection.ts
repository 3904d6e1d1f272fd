import { UpstreamError } from '../../errors.js'
import { refusals } from '../response/auth-error.js'
import type { Settings } from '../settings/settings.js'
import type { PresentedProof } from './presented-proof.js'
import { createClusterReplayMemory, isClusterWorker } from './replay-cluster-worker.js'
import {
  createLocalReplayMemory,
  createReplayMemoryWithFallback,
  createSharedReplayMemory,
  proofUse,
  type ReplayMemory,
} from './replay-memory.js'

/** Whether a proof is used for the first time: true for exactly one request. @throws AuthError when that is unknown */
export type FirstUse = (proof: Pick<PresentedProof, 'jkt' | 'claims'>) => boolean | Promise<boolean>

type ReplaySettings = Pick<Settings, 'replay' | 'replayCapacity' | 'onReplayStoreError' | 'proof' | 'now'>

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-11.1 RFC 9449 §11.1} */
export function createReplayProtection(settings: ReplaySettings): FirstUse {
  const memory = replayMemory(settings)
  if (memory === undefined) return () => true
  // Longer than the proof itself would be accepted: the clocks of a shared store and of its processes may differ.
  const lifetime = settings.proof.maxAge + settings.proof.futureSkew

  return ({ jkt, claims: { jti, iat } }) => {
    try {
      const first = memory.firstUse(proofUse(jkt, jti), iat + lifetime)
      return first instanceof Promise ? first.catch(unavailable) : first
    } catch (error) {
      return unavailable(error)
    }
  }
}

/** The memory that the `replay` option names; none when replays are let through. */
function replayMemory({
  replay,
  replayCapacity,
  onReplayStoreError,
  now,
}: Omit<ReplaySettings, 'proof'>): ReplayMemory | undefined {
  if (replay === false) return undefined
  const local = createLocalReplayMemory({ capacity: replayCapacity, now })
  if (replay === 'memory' || replay === 'memory-per-process') return local
  if (replay === 'cluster' && !isClusterWorker()) return local
  const shared = replay === 'cluster' ? createClusterReplayMemory() : createSharedReplayMemory(replay)
  return onReplayStoreError === 'local' ? createReplayMemoryWithFallback(shared, local) : shared
}

function unavailable(error: unknown): never {
  throw error instanceof UpstreamError ? refusals.replayUnavailable : error
}
