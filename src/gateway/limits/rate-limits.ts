import type { ServerResponse } from 'node:http'
import { TooManyRequests } from '../../http/limits/network-limit.js'
import { networksOf } from '../../http/limits/networks.js'
import { createRefusalReport } from '../../http/limits/refusal-report.js'
import type { Count, Quota, Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import { rateLimitDefaults } from '../defaults.js'
import type { FrontendOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'
import type { Session } from '../session/session-record.js'
import type { RateLimitOptions } from './limit-options.js'
import { rateLimitFields } from './rate-limit-fields.js'

/** Counts a call against every limit of its route and frontend. @throws Refusal `bff.rate.exceeded` */
export type LimitRate = (call: LimitedCall) => Promise<void>

/** What counting has to know of a call. */
export interface LimitedCall {
  readonly client: { readonly address: string }
  readonly open: { readonly session: Session } | undefined
  /** Undefined for an upgrade, whose answer has no place for the fields. */
  readonly response: ServerResponse | undefined
}

interface Limit {
  /** Of this place, these callers and this time: the policy's name for clients, and part of the count's key. */
  readonly name: string
  readonly by: 'Session' | 'Address'
  readonly quota: Quota
  readonly refused: (caller: string) => void
}

/** Makes what counts the calls of a route; undefined where nothing is limited. */
export function createRateLimits(
  { name: frontend, rateLimits = [] }: Pick<FrontendOptions, 'name' | 'rateLimits'>,
  count: Store['count'],
): (route: Pick<RouteOptions, 'path' | 'rateLimits'>) => LimitRate | undefined {
  const limitOf = (place: string, route: string | undefined) => (options: RateLimitOptions) => {
    const { requests: limit, per: window, by = rateLimitDefaults.by } = options
    const name = `${place}-${by.toLowerCase()}-${window}s`
    const refused = createRefusalReport((caller, refused) =>
      publish({
        type: 'gateway.rate.limited',
        frontend,
        ...(route !== undefined && { route }),
        limit: name,
        caller,
        refused,
      }),
    )
    return { name, by, quota: { limit, window }, refused }
  }
  const ofFrontend = rateLimits.map(limitOf('frontend', undefined))

  return ({ path, rateLimits: own = [] }) => {
    // Sessions first: what a session may not do is not counted against the others of its address.
    const limits: readonly Limit[] = [...own.map(limitOf('route', path)), ...ofFrontend].sort(
      (one, other) => Number(one.by === 'Address') - Number(other.by === 'Address'),
    )
    if (limits.length === 0) return undefined
    const keyOf = ({ name }: Limit, caller: string): string =>
      `rate:${frontend}:${name.startsWith('route-') ? path : ''}:${name}:${caller}`

    return async (call) => {
      const counts: { readonly limit: Limit; readonly count: Count }[] = []
      for (const limit of limits) {
        const caller = callerOf(call, limit.by)
        const result = await count(keyOf(limit, caller.key), 1, limit.quota)
        counts.push({ limit, count: result })
        if (result.counted) continue
        limit.refused(caller.name)
        setFields(call, [{ limit, count: result }])
        throw tooMany(limit, call, result)
      }
      setFields(call, counts)
    }
  }
}

/** Who is counted, and what the log may call it: a session by its handle. */
function callerOf({ open, client }: LimitedCall, by: Limit['by']): { readonly key: string; readonly name: string } {
  if (by === 'Session' && open !== undefined) return { key: open.session.key, name: open.session.handle }
  const { name } = networksOf(client.address)[0]
  return { key: name, name }
}

function setFields({ response }: LimitedCall, counts: readonly { readonly limit: Limit; readonly count: Count }[]) {
  if (response === undefined) return
  const { policy, limit } = rateLimitFields(
    counts.map(({ limit: { name, quota }, count: { left, reset } }) => ({ name, quota, left, reset })),
  )
  response.setHeader('RateLimit-Policy', policy)
  response.setHeader('RateLimit', limit)
}

function tooMany({ by, quota: { limit, window } }: Limit, { open }: LimitedCall, { reset }: Count): Refusal {
  const whose = by === 'Session' && open !== undefined ? 'this session' : 'your address'
  const wait = Math.max(1, Math.ceil(reset))
  return new Refusal(
    'bff.rate.exceeded',
    `more than ${limit} requests within ${window} s come from ${whose}; the next one is taken in ${wait} s`,
    { cause: new TooManyRequests(wait) },
  )
}
