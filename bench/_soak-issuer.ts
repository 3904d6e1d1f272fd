/** A foreign FAPI 2.0 server in a process of its own: it can be stopped without the harness. `rotating`: its refresh tokens are used once. */
import { type ProviderClient, startProvider } from '../test/gateway/_provider.js'

export type IssuerOrder =
  | { readonly register: readonly ProviderClient[]; readonly accessTokenLifetime: number }
  | { readonly outage: 'none' | 'unavailable' }

const provider = await startProvider({ rotate: process.argv[2] === 'rotating' })
process.on('message', (order: IssuerOrder) => {
  // What its tests look at would grow for as long as this runs.
  provider.requests.length = 0
  provider.posted.length = 0
  if ('register' in order) {
    provider.accessTokenLifetime = order.accessTokenLifetime
    provider.register(order.register)
  } else provider.tokenOutage = order.outage
  process.send?.({ done: true })
})
process.send?.({ issuer: provider.issuer })
