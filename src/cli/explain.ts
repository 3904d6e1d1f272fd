import { readFileSync } from 'node:fs'
import { durationOf } from '../config/duration.js'
import type { Environment } from '../config/environment.js'
import { readConfiguration } from '../config/load.js'
import { unreachable } from '../errors.js'
import { rateLimitDefaults } from '../gateway/defaults.js'
import type { TokenType } from '../gateway/route-options.js'
import { printableJson } from '../http/printable-json.js'
import { accessRows, type Claims } from './explained-access.js'
import { type ExplainedListener, explainedListener, listenerText } from './explained-listener.js'
import { loginText } from './explained-login.js'
import { type CsrfRule, type Explanation, explanationOf, type Forwarding } from './explanation.js'
import { type Output, type Style, styleFor } from './report.js'
import { schemeText } from './scheme.js'

export interface ExplainOptions {
  readonly method: string
  /** As the browser sees it. */
  readonly url: string
  readonly file: string
  readonly format: 'text' | 'json'
  /** A JSON file with the claims of a user, as `P/user` shows them. */
  readonly claimsFile?: string | undefined
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

/** `sallyport explain`: what would happen to a request. No server is called. */
export async function explain({
  method,
  url,
  file,
  format,
  claimsFile,
  environment = process.env,
  output = process.stdout,
}: ExplainOptions): Promise<void> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new Error(`${url} is not a URL. Write it as the browser sees it, as in https://app.example.com/api/orders`)
  const { gateway, server } = readConfiguration({ file, environment, state: 'look' })
  if (gateway === undefined) throw new Error(`${file} has no frontends, so that there is nothing to explain`)
  const explanation = explanationOf(
    method.toUpperCase(),
    url,
    gateway.frontends,
    claimsFile === undefined ? undefined : claimsIn(claimsFile),
    gateway.httpProxy,
  )
  const asked = server.forwardAuth && toldToProxy(explanation.outcome)
  const arrives = explainedListener(server, gateway.trustedProxies)
  const whole = { ...explanation, ...(arrives && { arrives }), ...(asked && { asked }) }
  output.write(format === 'json' ? `${printableJson(whole, 2)}\n` : textOf(whole, styleFor(output)))
}

/** What a proxy hears that asks and forwards by itself, of a caller who has all that is needed. */
function toldToProxy(outcome: Explanation['outcome']): string {
  switch (outcome.kind) {
    case 'endpoint':
      return '404 bff.endpoint.unknown: your proxy forwards it to Server.Listen without asking'
    case 'page':
      return outcome.requireLogin === 'Page' ? 'may pass, without a token' : '404 bff.route.unknown: no route covers it'
    case 'refused':
      return 'the same'
    case 'forwarded': {
      const { scheme, calls } = outcome.forwarding
      return scheme === 'DPoP' ? `may pass, with a proof for ${calls[0]?.htu}` : 'may pass'
    }
    default:
      return unreachable(outcome)
  }
}

function claimsIn(file: string): Claims {
  let claims: unknown
  try {
    claims = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'
    throw new Error(`${file} ${reason}. Write the claims of a user, as in {"sub": "alice", "roles": ["staff"]}`)
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw new Error(`${file} is not a JSON object. Write the claims of a user, as in {"roles": ["staff"]}`)
  return { ...claims }
}

interface WholeExplanation extends Explanation {
  readonly arrives?: ExplainedListener
  readonly asked?: string
}

function textOf({ request, arrives, frontend, outcome, access, asked }: WholeExplanation, style: Style): string {
  const rows: [string, string][] = [['request', request]]
  if (arrives !== undefined) rows.push(['arrives', listenerText(arrives)])
  if (frontend !== undefined)
    rows.push(['frontend', `${frontend.name} (endpoints at ${frontend.base}/, cookie ${frontend.sessionCookie})`])
  if (frontend?.framedBy !== undefined)
    rows.push(['frames', `of ${frontend.framedBy.join(', ')}; its cookies come from there, too`])
  if (frontend?.authorities !== undefined)
    rows.push([
      'sign-in',
      `at ${frontend.authorities.map(({ name, authority }) => `${name} (${authority})`).join(' or ')}: bff/login?authority=${frontend.authorities[0]?.name}, or the user chooses`,
    ])
  switch (outcome.kind) {
    case 'refused':
      rows.push(['answer', style.red(`${outcome.status} ${outcome.code}: ${outcome.detail}`)])
      break
    case 'endpoint':
      rows.push(['answer', `the gateway's own endpoint ${outcome.path}`], ...csrfRows(outcome.csrf))
      rows.push(...(outcome.logins ?? []).map((login): [string, string] => ['login', loginText(login)]))
      break
    case 'page':
      rows.push(['answer', `the application itself, from ${outcome.folder}`])
      if (outcome.requireLogin === 'Page')
        rows.push([
          'login',
          'needed: without a session a person is sent there and comes back, all else is 401 bff.session.absent',
        ])
      break
    case 'forwarded':
      rows.push(...forwardingRows(outcome.forwarding))
      break
    default:
      return unreachable(outcome)
  }
  if (access !== undefined) rows.push(...accessRows(access))
  if (asked !== undefined) rows.push(['asked', asked])
  const width = Math.max(...rows.map(([name]) => name.length))
  return `${rows.map(([name, value]) => `${style.bold(name.padEnd(width))}  ${value}`).join('\n')}\n`
}

function forwardingRows(forwarding: Forwarding): [string, string][] {
  const { route, csrf, token, scheme, resource, scopes, signIn, headersDropped, headersAdded, calls } = forwarding
  const { countsAsUse, rateLimits, exchanged, assertion, detailTypes, balance } = forwarding
  const asked = [
    resource && `for ${resource}`,
    exchanged?.audience !== undefined && `for ${exchanged.audience}`,
    scopes.length > 0 && `with ${scopes.join(' ')}`,
    detailTypes.length > 0 && `with details of type ${detailTypes.join(', ')}`,
    exchanged && 'in exchange for that of the login (RFC 8693)',
  ].filter(Boolean)
  return [
    ['route', route],
    ...csrfRows(csrf),
    assertion === undefined
      ? ['token', tokenText(token, asked.map((part) => ` ${part}`).join('')) + schemeText(scheme)]
      : [
          'token',
          `none: ${assertion.field} says who the user is${token === 'User' ? '; without a session 401 bff.session.absent' : ', if there is one'}`,
        ],
    ...(assertion === undefined ? [] : [['says', assertedText(assertion)] as [string, string]]),
    ...(token === 'Client' || token === 'None' || countsAsUse
      ? []
      : ([['session', 'not extended by this call']] as [string, string][])),
    ...rateLimits.map(({ requests, per, by = rateLimitDefaults.by }): [string, string] => [
      'limit',
      `${requests} requests within ${per} s by ${by.toLowerCase()}; beyond 429 bff.rate.exceeded`,
    ]),
    ...(signIn === undefined ? [] : [['sign-in', signInText(signIn)] as [string, string]]),
    ['dropped', `${headersDropped.join(', ')} (of what a browser may send)`],
    ['added', headersAdded.join(', ')],
    ...(calls.length === 1 ? [] : [['balance', balanceText[balance]] as [string, string]]),
    ...calls.flatMap(({ url, htu, socket }, index): [string, string][] => [
      [calls.length === 1 ? 'calls' : `calls (${index + 1})`, socket === undefined ? url : `${url} by ${socket}`],
      ...(scheme === 'DPoP' ? ([['htu', htu]] as [string, string][]) : []),
    ]),
  ]
}

const balanceText = {
  RoundRobin: 'one after the other',
  LeastRequests: 'the one with the fewest calls under way',
  Sticky: 'the same one for all calls of a session',
} as const satisfies Record<Forwarding['balance'], string>

function assertedText({ issuer, audience, idp, claims }: NonNullable<Forwarding['assertion']>): string {
  const said = [`iss ${issuer}`, `aud ${audience}`, 'sub', `idp ${idp.join(' or ')}`, ...claims].join(', ')
  return `${said}; signed with Bff.AssertionKeys, for a minute`
}

function csrfRows(csrf: CsrfRule | undefined): [string, string][] {
  if (csrf === undefined)
    return [['csrf', 'not checked: this endpoint changes nothing, or proves its caller otherwise']]
  const { own, bare, typed, silent, foreign } = csrf
  const link = typed === 'passes' && foreign !== 'passes' ? ', its links come by way of one of ours' : ''
  return [
    ['csrf', `our page with X-CSRF: 1 ${own} · without it ${bare} · a typed address ${typed}`],
    ['', `a program without it ${silent} · a page of another site ${foreign}${link}`],
  ]
}

function signInText({ acrValues, maxAge }: NonNullable<Forwarding['signIn']>): string {
  const asked = [
    acrValues && `acr is one of ${acrValues.join(', ')}`,
    maxAge && `auth_time is at most ${durationOf(maxAge)} ago`,
  ].filter(Boolean)
  return `${asked.join(', ')}; otherwise 401 bff.step_up.required, with a login that asks for it`
}

/** @param asked What it is for, each part behind a space. */
function tokenText(token: TokenType, asked: string): string {
  switch (token) {
    case 'User':
      return `the user's access token${asked}; without a session 401 bff.session.absent`
    case 'UserOrNone':
      return `the user's access token${asked}; without a session none`
    case 'UserOrClient':
      return `the user's access token${asked}; without a session the gateway's own${asked}`
    case 'Client':
      return `the gateway's own access token${asked}`
    case 'None':
      return 'none'
    default:
      return unreachable(token)
  }
}
