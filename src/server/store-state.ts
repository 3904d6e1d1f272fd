export type StoreState = 'up' | 'down' | 'gone'

/**
 * How the store is at this moment. `gone`: it has been down for longer than `grace`, from the first time on that it was found
 * to be down. Asked by those who watch readiness, every few seconds.
 * @param grace Seconds. Absent: it may be down for ever.
 */
export function createStoreState(isUp: () => Promise<boolean>, grace = Number.POSITIVE_INFINITY) {
  let downSince: number | undefined
  return async (): Promise<StoreState> => {
    const asked = performance.now() / 1000
    if (await isUp()) {
      downSince = undefined
      return 'up'
    }
    downSince ??= asked
    return performance.now() / 1000 - downSince > grace ? 'gone' : 'down'
  }
}
