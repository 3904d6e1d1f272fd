import { Agent, fetch, type Response } from 'undici'
import type { FrontendOptions, RouteOptions } from '../gateway/options.js'
import { isLoopback } from '../http/loopback.js'
import { tlsPreset } from '../http/tls.js'
import { adviceFor, failed, list, noted, passed, reasonOf, type Trial } from './trial.js'
import { askedFor } from './try-issuer.js'

/** Seconds for one call. */
const timeout = 5

/** What is known of the access tokens of a route. */
export interface ExpectedToken {
  /** `aud`. Undefined: only the authorization server knows. */
  readonly audience: readonly string[] | undefined
  /** `certain`: it was issued, or the embedded server's rules were asked. `named`: the route asks for it. */
  readonly from: 'certain' | 'named'
}

export interface UpstreamTrialOptions {
  /** Where the sample API of this file will be. */
  readonly samplePort: number | undefined
  readonly tokenFor: (frontend: FrontendOptions, route: RouteOptions) => ExpectedToken
}

/** One API as one route calls it. */
interface Target extends UpstreamTrialOptions {
  readonly subject: string
  readonly upstream: URL
  readonly route: RouteOptions
  readonly frontend: FrontendOptions
  get(url: URL, headers?: Readonly<Record<string, string>>): Promise<Response>
}

/**
 * Whether each upstream can be reached, with the TLS settings of its route, whether it looks at tokens at all, and whether
 * what it says of itself (RFC 9728) fits what it will be sent. Without a token that is good: nothing happens there.
 */
export async function tryUpstreams(
  frontends: readonly FrontendOptions[],
  options: UpstreamTrialOptions,
): Promise<readonly Trial[]> {
  const trials = new Map<string, Promise<readonly Trial[]>>()
  for (const frontend of frontends)
    for (const route of frontend.routes)
      for (const upstream of route.upstreams) {
        const { audience } = options.tokenFor(frontend, route)
        const key = JSON.stringify([upstream.href, frontend.authority, route, audience, frontend.scopes])
        if (!trials.has(key)) trials.set(key, tryUpstream(upstream, route, frontend, options))
      }
  return unique((await Promise.all(trials.values())).flat())
}

async function tryUpstream(
  upstream: URL,
  route: RouteOptions,
  frontend: FrontendOptions,
  options: UpstreamTrialOptions,
): Promise<readonly Trial[]> {
  const subject = `upstream ${upstream.href}`
  const { serverName, ...certificates } = route.tls ?? {}
  const dispatcher = new Agent({
    connect: { ...tlsPreset, ...certificates, ...(serverName && { servername: serverName }), timeout: timeout * 1000 },
  })
  const get: Target['get'] = (url, headers = {}) =>
    fetch(url, { headers, dispatcher, redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) })
  const target: Target = { ...options, subject, upstream, route, frontend, get }
  try {
    const response = await get(calledUrl(target))
    await response.body?.cancel()
    const reached = passed(subject, `answers (${response.status} without a token)`)
    const base = upstream.pathname.replace(/\/$/, '')
    if (response.status === 404 && !route.stripPath && base !== '' && base.endsWith(route.path))
      return [
        reached,
        noted(
          `${subject}: path`,
          `is asked for ${base}${route.path}, which is not there`,
          `The path of the route goes below the upstream's own: write ${upstream.origin}${base.slice(0, -route.path.length)} in Upstreams, or "StripPath": true.`,
        ),
      ]
    const plain = await speaksTls(target, response)
    if (plain !== undefined) return [plain]
    if (route.tokenType === 'None') return [reached]
    const metadata = await readMetadata(target, response)
    return [reached, ...(await tokenTrials(target, response)), ...metadataTrials(target, metadata)]
  } catch (error) {
    if (isLoopback(upstream.hostname) && Number(upstream.port) === options.samplePort)
      return [noted(subject, 'is the sample API of this file, which starts with the gateway')]
    const settings = {
      certificates: `Tls.CaFile of the route ${route.path} (frontend ${frontend.name})`,
      serverName: 'Tls.ServerName',
    }
    return [failed(subject, `cannot be reached: ${reasonOf(error)}`, adviceFor(error, settings))]
  } finally {
    await dispatcher.destroy()
  }
}

/** What a request to the route itself becomes. */
function calledUrl({ upstream, route }: Target): URL {
  const base = upstream.pathname.replace(/\/$/, '')
  return new URL(`${upstream.origin}${base}${route.stripPath || route.path === '/' ? '' : route.path}`)
}

/** Servers that expect TLS answer a plain request with a 400 that says so. */
async function speaksTls({ subject, upstream, get }: Target, { status }: Response): Promise<Trial | undefined> {
  if (status !== 400 || upstream.protocol !== 'http:') return undefined
  const text = await get(upstream)
    .then((response) => response.text())
    .catch(() => '')
  return /https|tls|ssl/i.test(text)
    ? failed(subject, 'takes https only at this port', `Write https://${upstream.host} in Upstreams.`)
    : undefined
}

/** An API that checks tokens refuses one that is none (RFC 6750 §3.1). */
async function tokenTrials({ subject, route, get, ...target }: Target, first: Response): Promise<readonly Trial[]> {
  const url = calledUrl({ subject, route, get, ...target })
  if (first.status >= 300 && first.status < 400)
    return [
      noted(
        `${subject}: tokens`,
        `answers ${first.status} to ${list([first.headers.get('location') ?? 'nowhere'])} without a token`,
        'An API answers 401: does it want a login of its own, or another path (StripPath)?',
      ),
    ]
  if (!first.ok) return []
  const second = await get(url, { Authorization: 'DPoP not-a-token', DPoP: 'not-a-proof' })
  await second.body?.cancel()
  if (!second.ok) return []
  return [
    noted(
      `${subject}: tokens`,
      `answers ${first.status} without a token, and ${second.status} to one that is none: it may not look at them at all`,
      route.tokenType === 'UserOrNone'
        ? 'Let it refuse a token that is none: docs/protect-an-api.md.'
        : 'Protect it (docs/protect-an-api.md): what reaches it past the gateway is served to anyone. If it is meant to be open: "TokenType": "None".',
    ),
  ]
}

/**
 * From where a challenge names it, at this upstream and no other host, else from where it is by default.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 RFC 9728 §3.1} and §5.1
 */
async function readMetadata({ upstream, get }: Target, { headers }: Response): Promise<unknown> {
  const named = /\bresource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1]
  const path = named !== undefined && URL.canParse(named) ? new URL(named).pathname : undefined
  const byDefault = `/.well-known/oauth-protected-resource${upstream.pathname.replace(/\/$/, '')}`
  for (const place of new Set([path ?? byDefault, byDefault])) {
    const value: unknown = await get(new URL(upstream.origin + place))
      .then((answer) => (answer.status === 200 ? answer.json() : undefined))
      .catch(() => undefined)
    if (typeof value === 'object' && value !== null && ('resource' in value || 'authorization_servers' in value))
      return value
  }
  return undefined
}

function metadataTrials(target: Target, metadata: unknown): readonly Trial[] {
  const { route, frontend, upstream, subject: api } = target
  const subject = `${api}: metadata`
  const { audience, from } = target.tokenFor(frontend, route)
  if (typeof metadata !== 'object' || metadata === null) {
    if (from === 'certain' && audience !== undefined)
      return [noted(`${api}: audience`, `its tokens are for ${list(audience)}: is that the audience it expects?`)]
    return []
  }
  const { authority, dpop } = frontend
  const said = metadata as Readonly<Record<string, unknown>>
  const {
    authorization_servers: servers,
    dpop_signing_alg_values_supported: algorithms,
    scopes_supported: scopes,
  } = said
  const trials: Trial[] = []
  const wrong = (result: string, remedy: string) => trials.push(failed(subject, result, remedy))
  if (Array.isArray(servers) && !servers.includes(authority))
    wrong(
      `it takes access tokens of ${list(servers)} only, not of ${authority}`,
      "Configure the API's verifier with the frontend's Authority as issuer, or send the frontend there.",
    )
  if (dpop && Array.isArray(algorithms) && !algorithms.includes('ES256'))
    wrong(
      'it does not take DPoP proofs with ES256, which is what the gateway makes',
      "Allow ES256 in the API's verifier.",
    )
  if (!dpop && said.dpop_bound_access_tokens_required === true)
    wrong('it takes DPoP-bound access tokens only', 'Leave UseDPoP out of the frontend.')
  const held = new Set([...askedFor(frontend), ...route.scopes])
  if (Array.isArray(scopes) && scopes.length > 0 && !scopes.some((scope) => held.has(String(scope))))
    trials.push(
      noted(
        subject,
        `it knows the scopes ${list(scopes)}, and the tokens have ${list([...held])}`,
        `Write those that it asks for into Scopes of the route, as in "Scopes": ["${list([scopes[0]])}"].`,
      ),
    )
  trials.push(...audienceTrials(target, said))
  if (
    dpop &&
    typeof said.resource === 'string' &&
    'accepted_audiences' in said &&
    originOf(said.resource) !== upstream.origin
  )
    trials.push(
      noted(
        subject,
        `it believes that it is called at ${list([said.resource])}, and proofs will be made for ${upstream.origin}`,
        `Add "${upstream.origin}" to publicUrl of its verifier, if it is not there yet.`,
      ),
    )
  return trials.length > 0 ? trials : [passed(subject, 'fits the tokens it will get')]
}

/** Whether the tokens are for this API. What no one can know before a login is a question, not an error. */
function audienceTrials(target: Target, said: Readonly<Record<string, unknown>>): readonly Trial[] {
  const { route, frontend, subject, tokenFor } = target
  const { audience, from } = tokenFor(frontend, route)
  const { accepted_audiences: exact, resource } = said
  const accepted: readonly unknown[] = Array.isArray(exact) ? exact : typeof resource === 'string' ? [resource] : []
  if (accepted.length === 0 || audience?.some((name) => accepted.includes(name))) return []
  const [wanted] = accepted
  const write =
    typeof wanted === 'string' && URL.canParse(wanted)
      ? `Write "Resource": ${JSON.stringify(wanted).slice(0, 200)} into the route ${route.path}, and let client ${frontend.clientId} ask for it at the authorization server.`
      : `Let the authorization server put ${list([wanted])} into aud of the tokens of client ${frontend.clientId}.`
  if (audience === undefined)
    return [
      noted(
        `${subject}: audience`,
        `it takes tokens for ${list(accepted)} only, and the route does not say what its tokens are for: that is the authorization server's choice`,
        write,
      ),
    ]
  const result = `it takes tokens for ${list(accepted)} only, and those of the route ${route.path} are for ${list(audience)}: every call would be 401`
  return [
    from === 'certain' || Array.isArray(exact)
      ? failed(`${subject}: audience`, result, write)
      : noted(
          `${subject}: audience`,
          `it calls itself ${list([resource])}, and the route's Resource is ${list(audience)}`,
          'Does the authorization server know that the two are one audience?',
        ),
  ]
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}

function unique(trials: readonly Trial[]): Trial[] {
  return [...new Map(trials.map((trial) => [JSON.stringify(trial), trial])).values()]
}
