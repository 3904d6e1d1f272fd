import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Done = Parameters<LookupFunction>[2]

const underway = new Map<string, Done[]>()

/**
 * `dns.lookup`, once at a time for each name, whatever number of connections wait for it. The system looks names up in two
 * threads of the process: a name server that does not answer for one API would otherwise keep every other name from being
 * looked up, the authorization server's too. Nothing is remembered: the next connection asks again.
 */
export const sharedLookup: LookupFunction = (hostname, options, done) => {
  const key = JSON.stringify([hostname, options])
  const waiting = underway.get(key)
  if (waiting !== undefined) return void waiting.push(done)
  const all = [done]
  underway.set(key, all)
  lookup(hostname, options, (error, address: string | LookupAddress[], family) => {
    underway.delete(key)
    for (const each of all) each(error, address, family)
  })
}
