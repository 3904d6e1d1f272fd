/** A foreign FAPI 2.0 server in a process of its own: it can be stopped without the harness. `rotating`: its refresh tokens are used once. */
import { type ProviderClient, startProvider } from '../test/gateway/_provider.js'
import { MapAdapter } from './_map-adapter.js'

export type IssuerOrder =
  | { readonly register: readonly ProviderClient[]; readonly accessTokenLifetime: number }
  | { readonly outage: 'none' | 'unavailable' }
  /** Milliseconds by which token responses are held back, and seconds that access tokens live. Refreshes count from 0 again. */
  | { readonly tokenDelay: number; readonly accessTokenLifetime: number }
  | { readonly count: 'refreshes' }

/** What came of refresh grants; a request that was only asked for a DPoP nonce is neither. */
export interface Refreshes {
  readonly granted: number
  readonly refused: number
}

let refreshes = { granted: 0, refused: 0 }
const provider = await startProvider({
  rotate: process.argv[2] === 'rotating',
  configuration: { adapter: MapAdapter },
})
process.on('message', (order: IssuerOrder) => {
  // What its tests look at would grow for as long as this runs.
  provider.requests.length = 0
  provider.posted.length = 0
  if ('register' in order) {
    provider.accessTokenLifetime = order.accessTokenLifetime
    provider.register(order.register)
    const isRefresh = (params: Record<string, unknown> | undefined) => params?.grant_type === 'refresh_token'
    provider
      .instance()
      .on('grant.success', ({ oidc }) => isRefresh(oidc.params) && refreshes.granted++)
      .on('grant.error', ({ oidc }, { error }) => {
        if (isRefresh(oidc.params) && error !== 'use_dpop_nonce') refreshes.refused++
      })
  } else if ('tokenDelay' in order) {
    Object.assign(provider, order)
    refreshes = { granted: 0, refused: 0 }
  } else if ('outage' in order) provider.tokenOutage = order.outage
  process.send?.({ done: true, refreshes })
})
process.send?.({ issuer: provider.issuer })
