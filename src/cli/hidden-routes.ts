import type { Configuration } from '../config/load.js'
import type { FrontendOptions } from '../gateway/options.js'
import { noted, type Trial } from './probe/probe.js'

/** Routes of a frontend that lie where another frontend of the same hosts answers: the longest prefix decides before any route does. */
export function hiddenRoutes({ gateway }: Configuration): readonly Trial[] {
  const frontends = gateway?.frontends ?? []
  return frontends.flatMap((frontend, index) =>
    frontend.routes.flatMap(({ path }, number) => {
      const whole = frontend.pathPrefix + path
      const owner = frontends.find((other) => other !== frontend && isInFront(other, frontend, whole))
      if (owner === undefined) return []
      return [
        noted(
          `/Bff/Frontends/${index}/Routes/${number}/Path`,
          `is never reached: what begins with ${owner.pathPrefix} is the frontend "${owner.name}", whose PathPrefix that is`,
          `Write the route into "${owner.name}", or give one of the two another path.`,
        ),
      ]
    }),
  )
}

function isInFront(other: FrontendOptions, one: FrontendOptions, path: string): boolean {
  const { pathPrefix, hosts } = other
  return (
    pathPrefix.length > one.pathPrefix.length &&
    `${path}/`.startsWith(`${pathPrefix}/`) &&
    // Without hosts it answers to any, and stands back behind one that names the host.
    (one.hosts.length === 0 ? hosts.length === 0 : one.hosts.every((host) => hosts.includes(host)))
  )
}
