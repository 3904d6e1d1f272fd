import { createSeal, type Seal } from '../store/seal.js'

/** A seal whose ring of keys can be another one from one moment to the next: all that was made with it goes on. */
export interface ReplaceableSeal {
  readonly seal: Seal
  replace(keys: readonly Buffer[]): void
}

export function createReplaceableSeal(keys: readonly Buffer[]): ReplaceableSeal {
  let current = createSeal(keys)
  return {
    seal: {
      seal: (...given) => current.seal(...given),
      unseal: (...given) => current.unseal(...given),
      blindIndexes: (text) => current.blindIndexes(text),
    },
    replace(next) {
      current = createSeal(next)
    },
  }
}
