/**
 * Where short-lived records are kept. Every operation is atomic; the ones that name an expected value or an absence are
 * what one-time things, locks and "a dead session cannot be written back" are made of.
 *
 * Times are seconds since the epoch; an expired record is an absent record. Every operation throws
 * `UpstreamError('store_unavailable')` when the store cannot answer: "there is none" and "cannot know" are different answers.
 */
export interface Store {
  get(key: string): Promise<string | undefined>
  /** Writes whatever was there before. */
  set(key: string, value: string, expiresAt: number): Promise<void>
  /** False, and nothing is written, when the key is there already. */
  addIfAbsent(key: string, value: string, expiresAt: number): Promise<boolean>
  /** False, and nothing is written, when the key does not hold `expected` any more. */
  replace(key: string, expected: string, value: string, expiresAt: number): Promise<boolean>
  /** Moves the expiry of a record that is there. False when there is none. */
  extend(key: string, expiresAt: number): Promise<boolean>
  /** Reads and deletes in one step: of any number of callers at most one gets the value. */
  take(key: string): Promise<string | undefined>
  /** True when there was something to delete. */
  delete(key: string): Promise<boolean>
  /** Deletes only what is still `expected`: the way to release a lock that may have been lost. */
  deleteIf(key: string, expected: string): Promise<boolean>
  /** Adds to a set. A member stays until the latest `expiresAt` that it was added with; without members there is no set. */
  addMember(key: string, member: string, expiresAt: number): Promise<void>
  removeMember(key: string, member: string): Promise<void>
  members(key: string): Promise<readonly string[]>
  close(): Promise<void>
}
