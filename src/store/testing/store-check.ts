import type { Store } from '../store.js'

/** One thing that every store must do. */
export interface StoreCheck {
  /** A sentence that follows the store's name. */
  readonly title: string
  /** @throws AssertionError when the store does not. */
  run(store: Store): Promise<void>
}
