import type { Store } from './store.js'

/** Asked once for each operation and outcome: what is told of each such operation how long it took, in seconds. */
export type ObserveOperation = (operation: string, outcome: 'answered' | 'failed') => (seconds: number) => void

/** A store of which every operation is timed. */
export function observedStore<Observed extends Store>(store: Observed, observe: ObserveOperation): Observed {
  const timed = <Given extends unknown[], Result>(operation: string, call: (...given: Given) => Promise<Result>) => {
    const [answered, failed] = [observe(operation, 'answered'), observe(operation, 'failed')]
    return (...given: Given): Promise<Result> => {
      const started = performance.now()
      const seconds = (): number => (performance.now() - started) / 1000
      const pending = call(...given)
      // Looked on: the caller waits for the operation itself.
      pending.then(
        () => answered(seconds()),
        () => failed(seconds()),
      )
      return pending
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
