import { durationOf } from '../../config/duration.js'
import type { Environment } from '../../config/environment.js'
import { readConfiguration } from '../../config/load.js'
import { unreachable } from '../../errors.js'
import { readyRule } from '../../gateway/access/access-rule.js'
import { rateLimitDefaults } from '../../gateway/defaults.js'
import type { RateLimitOptions } from '../../gateway/limits/limit-options.js'
import type { AccessRule } from '../../gateway/route-options.js'
import { printableJson } from '../../http/printable-json.js'
import { type Output, printed, type Style, styleFor } from '../report.js'
import { carriesToken, schemeText } from '../scheme.js'
import { audit, type Finding } from './audit.js'
import { type ListedFrontend, type ListedRoute, listRoutes } from './route-list.js'

export interface RoutesOptions {
  readonly file: string
  readonly format: 'text' | 'json'
  /** Whether to look for what is wider than it may need. */
  readonly look: 'list' | 'audit'
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

/** `sallyport routes`: what each route lets through. How many findings an audit has; no server is called. */
export async function routes({
  file,
  format,
  look,
  environment = process.env,
  output = process.stdout,
}: RoutesOptions): Promise<number> {
  const { gateway } = readConfiguration({ file, environment, state: 'look' })
  if (gateway === undefined) throw new Error(`${file} has no frontends, and so no routes`)
  const frontends = listRoutes(gateway.frontends)
  const findings = look === 'audit' ? audit(gateway.frontends, frontends) : undefined
  if (format === 'json') output.write(`${printableJson({ file, frontends, ...(findings && { findings }) }, 2)}\n`)
  else {
    const style = styleFor(output)
    output.write(frontends.map((frontend) => frontendText(frontend, style)).join('\n'))
    if (findings !== undefined) output.write(`\n${findingsText(findings, style)}`)
  }
  return findings?.length ?? 0
}

function frontendText(frontend: ListedFrontend, style: Style): string {
  const { name, url, requireLogin, otherOrigins, access, rateLimits } = frontend
  const rows: [string, string][] = [
    ['page', requireLogin === 'Page' ? 'for users with a session' : 'for everyone'],
    ...(otherOrigins.length > 0 ? [['called by', `pages of ${otherOrigins.join(', ')} too`] as [string, string]] : []),
    ...(access.length > 0 ? [['access', accessText(access)] as [string, string]] : []),
    ...(rateLimits.length > 0 ? [['limits', limitsText(rateLimits)] as [string, string]] : []),
  ]
  return [
    `${style.bold(printed(name))}  ${style.green(url)}\n`,
    table(rows, '  ', style),
    ...frontend.routes.map((route) => routeText(route, style)),
    ...(frontend.routes.length === 0 ? ['  no routes\n'] : []),
  ].join('')
}

function routeText(route: ListedRoute, style: Style): string {
  const { path, methods, access, rateLimits, upstreams, sockets, bodyLimit } = route
  const rows: [string, string][] = [
    ['methods', methods.length === 0 ? 'all but TRACE and CONNECT' : methods.join(' ')],
    ['token', tokenText(route)],
    ...(!carriesToken(route.scheme)
      ? []
      : ([['scopes', route.scopes.join(' ') || 'what the server gives']] as [string, string][])),
    ...(route.resource === undefined ? [] : ([['resource', route.resource]] as [string, string][])),
    ['access', access.length === 0 ? 'no rule of its own' : accessText(access)],
    ['limits', rateLimits.length === 0 ? 'none of its own' : limitsText(rateLimits)],
    ...(bodyLimit === undefined ? [] : ([['body', `up to ${bodyLimit} bytes`]] as [string, string][])),
    ['calls', [upstreams.join(', '), ...(sockets === undefined ? [] : [`by ${sockets.join(', ')}`])].join(' ')],
  ]
  return `\n  ${style.bold(printed(path))}\n${table(rows, '    ', style)}`
}

function table(rows: readonly (readonly [string, string])[], indent: string, { soft }: Style): string {
  return rows.map(([name, value]) => `${indent}${soft(name.padEnd(9))} ${printed(value)}\n`).join('')
}

function tokenText({ tokenType, scheme, session }: ListedRoute): string {
  const suffix = schemeText(scheme)
  switch (tokenType) {
    case 'User':
      return `the user's${suffix}; without a session 401`
    case 'UserOrNone':
      return `the user's${suffix}; without a session none`
    case 'UserOrClient':
      return `the user's${suffix}; without a session the gateway's own`
    case 'Client':
      return `the gateway's own${suffix}; ${session === 'required' ? 'without a session 401' : 'for every caller'}`
    case 'None':
      return 'none; for every caller'
    default:
      return unreachable(tokenType)
  }
}

function accessText(rules: readonly AccessRule[]): string {
  return rules.map((rule) => `${readyRule(rule).claim} has ${rule.anyOf.join(' or ')}`).join(', and ')
}

function limitsText(limits: readonly RateLimitOptions[]): string {
  return limits
    .map(({ requests, per, by = rateLimitDefaults.by }) => `${requests} in ${durationOf(per)} by ${by.toLowerCase()}`)
    .join(', ')
}

function findingsText(findings: readonly Finding[], { bold, yellow, green }: Style): string {
  if (findings.length === 0) return `${green('ok')}    nothing is wider than it is written to be\n`
  const paragraphs = findings.map(
    ({ pointer, finding, remedy }) =>
      `${yellow('wide ')} ${bold(printed(pointer))} ${printed(finding)}\n      → ${printed(remedy)}\n`,
  )
  return `${paragraphs.join('\n')}\n${findings.length === 1 ? '1 finding' : `${findings.length} findings`}.\n`
}
