import type { Configuration } from '../config/load.js'
import type { Trial } from './trial.js'

/** What works as it is written, and would be safer otherwise. */
export function advice({ plan: { authorizationServer: server, frontends } }: Configuration): readonly Trial[] {
  const origin = server?.issuer?.origin
  const shared = frontends.filter(({ publicUrl }) => publicUrl !== undefined && publicUrl.origin === origin)
  if (server === undefined || shared.length === 0) return []
  return [
    {
      subject: `${server.pointer}/Issuer`,
      outcome: 'noted',
      result: `has the origin of ${shared.map(({ name }) => `"${name}"`).join(', ')}: a service worker of a page there sees who signs in, and what they type`,
      remedy: 'Give the issuer a host name of its own, as in "https://auth.example.com".',
    },
  ]
}
