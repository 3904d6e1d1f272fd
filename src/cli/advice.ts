import { certificateProblems } from '../config/certificate-problems.js'
import type { Configuration } from '../config/load.js'
import { portOf } from '../config/resolve/authorization-server.js'
import { isLoopback } from '../http/loopback.js'
import { claimsWithoutScope } from './claims-without-scope.js'
import { hiddenRoutes } from './hidden-routes.js'
import { landings } from './landings.js'
import { periods } from './periods.js'
import { failed, noted, type Trial } from './probe/probe.js'
import { severalAuthorities } from './several-authorities.js'
import { socketFolders } from './socket-folders.js'
import { undeclaredScopes } from './undeclared-scopes.js'
import { withoutEffect } from './without-effect.js'

/** What works as it is written, and would be safer otherwise or may not be meant. */
export function advice(configuration: Configuration): readonly Trial[] {
  return [
    certificates,
    servedElsewhere,
    sharedOrigin,
    claimsWithoutScope,
    landings,
    hiddenRoutes,
    periods,
    innerPort,
    severalAuthorities,
    socketFolders,
    undeclaredScopes,
    withoutEffect,
  ].flatMap((look) => look(configuration))
}

/** Behind a proxy of ours browsers see that one's certificate. */
function certificates(configuration: Configuration): readonly Trial[] {
  const isBehind = configuration.plan.settings.Server.TrustedProxies.length > 0
  return certificateProblems(configuration).map(({ pointer, problem, remedy }) =>
    (isBehind ? noted : failed)(pointer, problem, remedy),
  )
}

function sharedOrigin({ plan: { authorizationServer: server, frontends } }: Configuration): readonly Trial[] {
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

/** Only the operator knows what stands in front. */
function servedElsewhere({ plan: { frontends, settings, listen } }: Configuration): readonly Trial[] {
  if (settings.Server.TrustedProxies.length > 0 || !isLoopback(listen.host) || listen.port === 0) return []
  const scheme = settings.Server.Tls === undefined ? 'http:' : 'https:'
  const local = new Map(
    frontends.flatMap(({ publicUrl, publicUrlPointer }) =>
      publicUrl !== undefined && isLoopback(publicUrl.hostname) ? [[publicUrlPointer, publicUrl]] : [],
    ),
  )
  return [...local].flatMap(([pointer, url]) => {
    if (portOf(url) === listen.port && url.protocol === scheme) return []
    const here = `${scheme}//${url.hostname}:${listen.port}`
    return [
      noted(
        pointer,
        `says ${url.origin}, and the gateway listens on ${scheme}//${listen.host}:${listen.port}`,
        `Write "${here}", unless a proxy stands in between: name that in Server.TrustedProxies.`,
      ),
    ]
  })
}

/** The port of an origin that browsers reach by TLS, though what listens on that port has none. */
function innerPort({ plan: { frontends, settings, listen } }: Configuration): readonly Trial[] {
  if (settings.Server.Tls !== undefined || listen.port === 0) return []
  const inner = new Map(
    frontends.flatMap(({ publicUrl, publicUrlPointer }) =>
      publicUrl?.protocol === 'https:' && Number(publicUrl.port) === listen.port ? [[publicUrlPointer, publicUrl]] : [],
    ),
  )
  return [...inner].map(([pointer, url]) =>
    noted(
      pointer,
      `has port ${listen.port}, on which the gateway itself listens, without TLS`,
      `Write what is in the browser's address bar, as in "https://${url.hostname}", unless the proxy in front has that port too.`,
    ),
  )
}
