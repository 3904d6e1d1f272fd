import { type Administered, createSessionAdministration, type SessionAdministration } from './sessions.js'
import { type GatewayState, stateOf } from './state.js'

/** What an administrator sees of a gateway, and does with it. */
export interface Administration {
  /**
   * What is served, and how each upstream fares, in this process and at this moment.
   * @example
   * ```ts
   * import type { Gateway } from 'sallyport'
   *
   * export const down = (gateway: Gateway) =>
   *   gateway.state().frontends.flatMap(({ routes }) =>
   *     routes.flatMap(({ upstreams }) => upstreams.filter(({ healthy, breaker }) => !healthy || breaker === 'open')),
   *   )
   * ```
   */
  state(): GatewayState
  /** The sessions of all frontends, in all processes that share the store. */
  readonly sessions: SessionAdministration
}

export function createAdministration(current: () => Administered, now: () => number): Administration {
  return { state: () => stateOf(current().frontends), sessions: createSessionAdministration(current, now) }
}
