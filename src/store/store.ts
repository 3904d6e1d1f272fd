/** Seconds from now on, by the store's own clock: for locks, since the clocks of replicas differ. */
export interface Lifetime {
  readonly lasts: number
}

/** Seconds since the epoch. `atLeast`: not earlier than the record would expire by itself. */
export type Expiry = number | { readonly atLeast: number } | Lifetime

/**
 * Messages between all processes that share a store. Each listener is told at most once, and nothing is kept for those that
 * do not listen at the moment: a message says that it is worth looking now. Who needs to know for certain also looks by itself.
 */
export interface Signals {
  /** Resolves when the message is on its way. */
  send(topic: string, message: string): Promise<void>
  /**
   * Messages of every process, this one's included. Returns at once; a store that cannot listen now does so later. Topics
   * are few names that are written in the code.
   * @returns what ends it
   */
  listen(topic: string, listener: (message: string) => void): () => void
}

/** How many within which time. */
export interface Quota {
  /** At most that many, costs added up. */
  readonly limit: number
  /** Seconds. */
  readonly window: number
}

/** What a count has come to. */
export interface Count {
  /** False: it would have been more than the limit, and nothing was added. */
  readonly counted: boolean
  /** What is left of the limit now. */
  readonly left: number
  /** Seconds until the first of what was counted is forgotten; 0 when nothing is. */
  readonly reset: number
}

/**
 * Where short-lived records are kept. Every operation is atomic; the ones that name an expected value or an absence are
 * what one-time things, locks and "a dead session cannot be written back" are made of.
 *
 * Times are seconds since the epoch; an expired record is an absent record. Every operation throws
 * `UpstreamError('store_unavailable')` when the store cannot answer: "there is none" and "cannot know" are different answers.
 */
export interface Store {
  /** Undefined when there is none, or it has expired. */
  get(key: string): Promise<string | undefined>
  /** Writes whatever was there before. */
  set(key: string, value: string, expiresAt: number): Promise<void>
  /** False, and nothing is written, when the key is there already. */
  addIfAbsent(key: string, value: string, expiresAt: number | Lifetime): Promise<boolean>
  /** False, and nothing is written, when the key does not hold `expected` any more. */
  replace(key: string, expected: string, value: string, expiresAt: Expiry): Promise<boolean>
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
  /** Takes out of a set. Nothing happens when it is not in there. */
  removeMember(key: string, member: string): Promise<void>
  /** Those of a set that have not expired, in any order. Empty without a set. */
  members(key: string): Promise<readonly string[]>
  /**
   * Adds to what was counted under the key within the last `window` seconds, in one round trip. What was counted is
   * forgotten when the window has passed over it, at most a twentieth of the window later and never before: no span of that
   * length ever has more than the limit. A key is always counted with the same window.
   * @param cost Whole. 0 only looks; less than 0 gives back what was counted last.
   */
  count(key: string, cost: number, quota: Quota): Promise<Count>
  /** Absent in a store that cannot tell other processes: they find out by looking, a little later. */
  readonly signals?: Signals
  /** Lets go of connections and timers. */
  close(): Promise<void>
}

/** How full a store is that can say so. */
export interface StoreUsage {
  /** Those that are alive, and expired ones that are not freed yet. */
  readonly records: number
  /** In memory: of keys and values, and what a record costs besides. On a disk: of the files. */
  readonly bytes: number
  /** What it may come to: on a disk, with all that is free there. */
  readonly maxBytes: number
  /** Writes of this process that found no room, ever. */
  readonly refused: number
}
