import type { Seal } from '../../store/seal.js'

/** Names a session to its own user and in events. It opens nothing, and does not lead back to the session's key. */
export interface SessionHandles {
  handleOf(key: string): string
  /** Handles made under a retired sealing key count too. */
  hasHandle(key: string, handle: string): boolean
}

export function createSessionHandles(seal: Pick<Seal, 'blindIndexes'>): SessionHandles {
  const handlesOf = (key: string): readonly string[] =>
    seal.blindIndexes(`handle ${key}`).map((index) => index.slice(0, 22))
  return {
    handleOf: (key) => handlesOf(key)[0] as string,
    hasHandle: (key, handle) => handlesOf(key).includes(handle),
  }
}
