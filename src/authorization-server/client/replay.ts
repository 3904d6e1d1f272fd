import { createHash } from 'node:crypto'
import type { Store } from '../../store/store.js'

/** Whether this is the first use of something that may be used once. One atomic operation: of any number of parallel uses one is first. */
export type FirstUse = (
  kind: 'assertion' | 'proof',
  owner: string,
  jti: string,
  rememberUntil: number,
) => Promise<boolean>

export function createFirstUse(store: Store): FirstUse {
  return (kind, owner, jti, rememberUntil) => {
    // Hashed: what a peer chooses decides neither the length of our keys nor where they end.
    const id = createHash('sha256')
      .update(JSON.stringify([owner, jti]))
      .digest('base64url')
    return store.addIfAbsent(`as used ${kind}:${id}`, '1', rememberUntil)
  }
}
