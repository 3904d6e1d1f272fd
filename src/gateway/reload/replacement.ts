import { setTimeout as delay } from 'node:timers/promises'
import type { Forwarder } from '../forwarding/forward.js'
import type { IssuerFetch } from '../oauth/issuer-fetch.js'
import type { ProvisionedFrontend } from '../request.js'
import type { Generation } from './generation.js'
import { isSameOptions } from './same-options.js'

/** Options that are ready to be served. One of the two, once. */
export interface PreparedGateway {
  /** What is different about the frontends. */
  readonly changes: FrontendChanges
  /**
   * The next request is served by them. WebSockets and streams of frontends that went or changed are asked to leave; what of
   * theirs is still under way after `drain` seconds is broken off. Those of all others stay.
   */
  swap(options: { readonly drain: number }): void
  /** They will not be served. */
  discard(): void
}

/** Names of frontends. */
export interface FrontendChanges {
  /** There was none of that name. */
  readonly added: readonly string[]
  /** With other options than before. */
  readonly changed: readonly string[]
  /** There is none of that name any more. */
  readonly removed: readonly string[]
}

/** Seconds in which authorization servers and upstreams are asked in advance. What is not there by then is asked when it is needed. */
const warming = 5
/** Frontends that are warmed at the same time. */
const abreast = 8

export async function prepareGeneration(
  generation: Generation,
  before: Generation,
  swap: (generation: Generation, drain: number) => void,
): Promise<PreparedGateway> {
  const fresh = without(generation.frontends, before.frontends)
  await warm(fresh)
  return {
    changes: changesBetween(before, generation),
    swap: ({ drain }) => swap(generation, drain),
    discard() {
      for (const frontend of fresh) frontend.close()
      if (generation.fetch !== before.fetch) void generation.fetch.close()
    },
  }
}

async function warm(frontends: readonly ProvisionedFrontend[]): Promise<void> {
  const cold = [...frontends]
  const isOver = new AbortController()
  const warmNext = async (): Promise<void> => {
    for (let next = cold.shift(); next !== undefined && !isOver.signal.aborted; next = cold.shift()) await next.warm()
  }
  await Promise.race([
    Promise.all(Array.from({ length: abreast }, warmNext)),
    delay(warming * 1000, undefined, { signal: isOver.signal }).catch(() => undefined),
  ])
  isOver.abort()
}

function without<Member>(members: readonly Member[], others: readonly Member[]): readonly Member[] {
  const known = new Set(others)
  return members.filter((member) => !known.has(member))
}

function changesBetween(before: Generation, generation: Generation): FrontendChanges {
  const earlier = new Map(before.frontends.map((frontend) => [frontend.name, frontend.options]))
  const later = new Set(generation.frontends.map(({ name }) => name))
  const added: string[] = []
  const changed: string[] = []
  for (const { name, options } of generation.frontends) {
    const known = earlier.get(name)
    if (known === undefined) added.push(name)
    else if (!isSameOptions(known, options)) changed.push(name)
  }
  return { added, changed, removed: [...earlier.keys()].filter((name) => !later.has(name)) }
}

/** Sees off what is served no longer. */
export interface Retirement {
  begin(before: Generation, generation: Generation, seconds: number): void
  /** At once, whatever is still under way. */
  close(): Promise<void>
}

export function createRetirement(forwarder: Pick<Forwarder, 'drain'>): Retirement {
  const leaving = new Set<{
    readonly frontends: readonly ProvisionedFrontend[]
    readonly fetch: IssuerFetch | undefined
  }>()
  return {
    begin(before, generation, seconds) {
      const { added: _, changed, removed } = changesBetween(before, generation)
      const drained = new Set([...changed, ...removed])
      const frontends = without(before.frontends, generation.frontends)
      const isDrained = new Set<object>(frontends.filter(({ name }) => drained.has(name)))
      const left = { frontends, fetch: before.fetch === generation.fetch ? undefined : before.fetch }
      leaving.add(left)
      void forwarder
        .drain(seconds, (frontend) => isDrained.has(frontend))
        // The same options on other terms, such as other colours: nothing that is open has to leave for that.
        .then(() => Promise.all(frontends.map(({ underway }) => underway.idle())))
        // A refresh goes on beside the calls that began it, and what it has got has to be written down.
        .then(() => Promise.all(frontends.map((frontend) => frontend.settled())))
        .then(async () => {
          if (!leaving.delete(left)) return
          for (const frontend of frontends) frontend.close()
          await left.fetch?.close()
        })
    },
    async close() {
      for (const left of leaving) {
        for (const frontend of left.frontends) frontend.close()
        await left.fetch?.close()
      }
      leaving.clear()
    },
  }
}
