import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RouteOptions, TimeoutOptions, UpstreamTlsOptions } from '../../gateway/options.js'
import { seconds } from '../duration.js'
import type { RouteSettings } from '../schema/route.js'

/** @param directory What relative paths start at. */
export function routeOptions(settings: RouteSettings, directory: string): RouteOptions {
  const { HealthCheck, CircuitBreaker, WebSocket } = settings
  return {
    path: settings.Path ?? '/',
    upstreams: settings.Upstreams.map((upstream) => new URL(upstream)),
    stripPath: settings.StripPath,
    methods: settings.Methods,
    tokenType: settings.TokenType,
    scopes: settings.Scopes,
    balance: settings.Balance,
    reuseConnections: settings.ReuseConnections,
    ...given({
      resource: settings.Resource,
      timeouts: timeoutOptions(settings.Timeouts),
      bodyLimit: settings.BodyLimit,
      replayLimit: settings.ReplayLimit,
      retries: settings.Retries,
      healthCheck:
        HealthCheck &&
        given({
          path: HealthCheck.Path ?? '/',
          interval: inSeconds(HealthCheck.Interval),
          timeout: inSeconds(HealthCheck.Timeout),
        }),
      circuitBreaker:
        CircuitBreaker && given({ failures: CircuitBreaker.Failures, openFor: inSeconds(CircuitBreaker.OpenFor) }),
      webSocket: WebSocket && given({ pingInterval: inSeconds(WebSocket.PingInterval) }),
      tls: tlsOptions(settings.Tls, directory),
    }),
  }
}

function timeoutOptions(settings: RouteSettings['Timeouts']): TimeoutOptions | undefined {
  return (
    settings &&
    given({
      connect: inSeconds(settings.Connect),
      responseHeaders: inSeconds(settings.ResponseHeaders),
      idle: inSeconds(settings.Idle),
      total: inSeconds(settings.Total),
    })
  )
}

function tlsOptions(settings: RouteSettings['Tls'], directory: string): UpstreamTlsOptions | undefined {
  const pem = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : readFileSync(resolve(directory, file), 'utf8')
  return (
    settings &&
    given({
      ca: pem(settings.CaFile),
      cert: pem(settings.CertFile),
      key: pem(settings.KeyFile),
      serverName: settings.ServerName,
    })
  )
}

function inSeconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : seconds(duration)
}

type Given<Members> = { [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name] } & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<Members[Name], undefined>
}

/** Without the members that were left out: the products' own defaults hold for those. */
function given<Members extends object>(members: Members): Given<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<Members>
}
