import type { Configuration } from '../config/load.js'
import { issuersOf } from '../gateway/authorities/authorities.js'
import type { AccessRule } from '../gateway/route-options.js'
import { noted, type Trial } from './probe/probe.js'

/** Rules that a claim of any server meets: with a second server their words mean more than was meant when they were written. */
export function severalAuthorities({ gateway }: Configuration): readonly Trial[] {
  return (gateway?.frontends ?? []).flatMap((frontend, index) => {
    const issuers = issuersOf(frontend)
    if (issuers.length < 2) return []
    const { access = [], routes } = frontend
    const at = `/Bff/Frontends/${index}`
    const places = [
      { at, rules: access },
      ...routes.map((route, number) => ({ at: `${at}/Routes/${number}`, rules: route.access ?? [] })),
    ]
    return places.flatMap((place) =>
      place.rules.length === 0 || [...access, ...place.rules].some(isAboutIssuer)
        ? []
        : [
            noted(
              `${place.at}/Access`,
              `asks for claims, and each of ${issuers.length} authorization servers can say them: ${issuers.join(', ')}`,
              `Where one alone is to be believed, add { "Claim": "iss", "AnyOf": ["${issuers[0]}"] }.`,
            ),
          ],
    )
  })
}

function isAboutIssuer({ claim }: AccessRule): boolean {
  return claim === 'iss'
}
