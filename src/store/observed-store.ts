import type { Store } from './store.js'

/** Told of each operation: what it was, how long it took in seconds, and whether the store answered. */
export type ObserveOperation = (operation: string, seconds: number, outcome: 'answered' | 'failed') => void

/** A store of which every operation is timed. */
export function observedStore<Observed extends Store>(store: Observed, observe: ObserveOperation): Observed {
  const timed =
    <Given extends unknown[], Result>(operation: string, call: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      const started = performance.now()
      let outcome: 'answered' | 'failed' = 'failed'
      try {
        const result = await call(...given)
        outcome = 'answered'
        return result
      } finally {
        observe(operation, (performance.now() - started) / 1000, outcome)
      }
    }
  return {
    ...store,
    get: timed('get', store.get),
    set: timed('set', store.set),
    addIfAbsent: timed('addIfAbsent', store.addIfAbsent),
    replace: timed('replace', store.replace),
    extend: timed('extend', store.extend),
    take: timed('take', store.take),
    delete: timed('delete', store.delete),
    deleteIf: timed('deleteIf', store.deleteIf),
    addMember: timed('addMember', store.addMember),
    removeMember: timed('removeMember', store.removeMember),
    members: timed('members', store.members),
    count: timed('count', store.count),
  }
}
