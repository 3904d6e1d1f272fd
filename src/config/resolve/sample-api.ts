import { isLoopback } from '../../http/loopback.js'
import { type ListenAddress, listenAddress } from '../listen-address.js'
import type { ResourceServerSettings } from '../schema/resource-server.js'
import { type RouteSettings, route } from '../schema/route.js'

export interface SampleApiPlan {
  readonly settings: ResourceServerSettings
  readonly listen: ListenAddress
  readonly issuer: string | undefined
  readonly audience: string | undefined
  /** What it is called by; none where that cannot be told from where it listens. */
  readonly publicUrls: readonly string[]
}

export function sampleApiOf(
  settings: ResourceServerSettings | undefined,
  embeddedIssuer: string | undefined,
): SampleApiPlan | undefined {
  if (settings === undefined) return undefined
  const { Listen, PublicUrl, Issuer, Audience } = settings.OpenIddict
  const listen = listenAddress(Listen)
  return {
    settings,
    listen,
    issuer: Issuer ?? embeddedIssuer,
    audience: Audience,
    publicUrls: PublicUrl === undefined ? namesOfLoopback(listen) : [PublicUrl],
  }
}

/** All that this machine may call a listener of its own by. */
function namesOfLoopback({ host, port }: ListenAddress): readonly string[] {
  if (!isLoopback(host) || port === 0) return []
  return [...new Set([host, 'localhost', '127.0.0.1', '::1'])].map((name) => originOf({ host: name, port }))
}

export function sampleRoute({ settings, listen }: SampleApiPlan): RouteSettings {
  return route.parse({ Path: '/api', Upstreams: [settings.OpenIddict.PublicUrl ?? originOf(listen)] })
}

function originOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
