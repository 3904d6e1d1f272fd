import { standardScopes } from '../authorization-server/tokens/claims.js'
import { didYouMean } from '../config/did-you-mean.js'
import type { Configuration } from '../config/load.js'
import { noted, type Trial } from './probe/probe.js'

/** Scopes of the embedded server that are written somewhere and declared nowhere: a token may have them, and is for no API by them. */
export function undeclaredScopes({
  plan: { authorizationServer: server, frontends },
}: Configuration): readonly Trial[] {
  if (server === undefined) return []
  const declared = server.settings.Seeding.Scopes.flatMap(({ Name }) => Name ?? [])
  const known = new Set([...standardScopes, ...declared])
  const asked = [
    ...frontends
      .filter(({ isEmbedded }) => isEmbedded)
      .flatMap(({ pointer, settings, routes }) => [
        ...entries(settings.Scopes ?? [], `${pointer}/Scopes`),
        ...routes.flatMap(({ Scopes }, index) => entries(Scopes, `${pointer}/Routes/${index}/Scopes`)),
      ]),
    ...server.applications.flatMap(({ pointer, settings }) =>
      entries(settings.Permissions ?? [], `${pointer}/Permissions`).flatMap(({ name, at }) =>
        name.startsWith('scp:') ? [{ name: name.slice('scp:'.length), at }] : [],
      ),
    ),
  ]
  return asked.flatMap(({ name, at }) => {
    if (known.has(name)) return []
    const meant = didYouMean(name, [...known])
    return [
      noted(
        at,
        `names the scope "${name}", which is not among Seeding.Scopes of the embedded server`,
        meant === undefined
          ? `Declare it there, with the Resources that it is for: {"Name": "${name}", "Resources": ["https://…"]}.`
          : `Did you mean "${meant}"?`,
      ),
    ]
  })
}

function entries(names: readonly string[], at: string): readonly { readonly name: string; readonly at: string }[] {
  return names.map((name, index) => ({ name, at: `${at}/${index}` }))
}
