import type { ProvisionedFrontend } from '../request.js'
import type { Route } from '../routing/route.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import { audiencesOf, type KeyedAudience } from '../tokens/token-audience.js'
import type { Authorities } from './authorities.js'

/**
 * Each session's tokens from its own authorization server, and the gateway's own from the first one.
 * @param routes As they are provisioned: their audiences are those of the first server, and stand for those of the others.
 */
export function createTokensByAuthority(
  { all, of }: Authorities<ProvisionedFrontend>,
  routes: readonly Route[],
): AccessTokens {
  const [first] = all
  if (first === undefined) throw new TypeError('a frontend has at least one authorization server')
  const audiences = new Map(
    all.map((client) => {
      const own = audiencesOf(client.options)
      return [client, new Map(routes.map((route) => [route.audiences.ofUser, own(route).ofUser]))]
    }),
  )
  /** A route asks each server for the scopes that this one gives its logins. */
  const audienceOf = (client: ProvisionedFrontend, audience: KeyedAudience): KeyedAudience =>
    audiences.get(client)?.get(audience) ?? audience

  return {
    ofUser(open, audience, needs, trace) {
      const client = of(open.session.record)
      return client.tokens.ofUser(open, audienceOf(client, audience), needs, trace)
    },
    current: (open, trace) => of(open.session.record).tokens.current(open, trace),
    ofClient: (audience, trace) => first.tokens.ofClient(audience, trace),
    insteadOf(refused, open, { ofUser, ofClient }, trace) {
      if (open === undefined) return first.tokens.insteadOf(refused, open, { ofUser, ofClient }, trace)
      const client = of(open.session.record)
      return client.tokens.insteadOf(refused, open, { ofUser: audienceOf(client, ofUser), ofClient }, trace)
    },
    async settled() {
      await Promise.all(all.map(({ tokens }) => tokens.settled()))
    },
    close() {
      for (const { tokens } of all) tokens.close()
    },
  }
}
