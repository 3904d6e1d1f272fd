import { Agent, fetch, type Response } from 'undici'
import { type Dial, dialsOf } from '../../gateway/forwarding/dial.js'
import { assertionField } from '../../gateway/identity/identity-assertion.js'
import { withCertificate } from '../../gateway/oauth/client-certificate.js'
import type { FrontendOptions } from '../../gateway/options.js'
import type { RouteOptions } from '../../gateway/route-options.js'
import { isLoopback } from '../../http/loopback.js'
import { tlsPreset } from '../../http/tls.js'
import { unixSocketText } from '../../http/unix-socket.js'
import { metadataTrials, readMetadata } from './api-metadata.js'
import { adviceFor, failed, list, noted, passed, reasonOf, type Trial } from './probe.js'
import type { Target, UpstreamTrialOptions } from './target.js'

/** Seconds for one call. */
const timeout = 5

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
      for (const dial of dialsOf(route)) {
        const { audience } = options.tokenFor(frontend, route)
        const key = JSON.stringify([dial.url.href, dial.socket, frontend.authority, route, audience, frontend.scopes])
        if (!trials.has(key)) trials.set(key, tryUpstream(dial, route, frontend, options))
      }
  return unique((await Promise.all(trials.values())).flat())
}

async function tryUpstream(
  { url: upstream, socket }: Dial,
  route: RouteOptions,
  frontend: FrontendOptions,
  options: UpstreamTrialOptions,
): Promise<readonly Trial[]> {
  const subject = `upstream ${upstream.href}${socket === undefined ? '' : ` by ${unixSocketText(socket)}`}`
  const { serverName, ...certificates } = withCertificate(route, frontend).tls ?? {}
  const dispatcher = new Agent({
    connect: {
      ...tlsPreset,
      ...certificates,
      ...(serverName && { servername: serverName }),
      ...(socket !== undefined && { socketPath: socket }),
      timeout: timeout * 1000,
    },
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
    if (route.identityAssertion !== undefined) return [reached, ...(await credentialTrials(target, response))]
    const metadata = await readMetadata(target, response)
    return [reached, ...(await credentialTrials(target, response)), ...metadataTrials(target, metadata)]
  } catch (error) {
    if (socket === undefined && isLoopback(upstream.hostname) && Number(upstream.port) === options.samplePort)
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
async function credentialTrials(
  { subject, route, get, ...target }: Target,
  first: Response,
): Promise<readonly Trial[]> {
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
  const { identityAssertion } = route
  const second = await get(
    url,
    identityAssertion === undefined
      ? { Authorization: 'DPoP not-a-token', DPoP: 'not-a-proof' }
      : { [assertionField(identityAssertion)]: 'not.an.assertion' },
  )
  await second.body?.cancel()
  if (!second.ok) return []
  const page = identityAssertion === undefined ? 'docs/protect-an-api.md' : 'docs/identity-assertion.md'
  const what = identityAssertion === undefined ? 'a token' : 'an assertion'
  return [
    noted(
      `${subject}: tokens`,
      `answers ${first.status} without ${what}, and ${second.status} to one that is none: it may not look at them at all`,
      route.tokenType === 'UserOrNone'
        ? `Let it refuse ${what} that is none: ${page}.`
        : `Protect it (${page}): what reaches it past the gateway is served to anyone. If it is meant to be open: "TokenType": "None".`,
    ),
  ]
}

function unique(trials: readonly Trial[]): Trial[] {
  return [...new Map(trials.map((trial) => [JSON.stringify(trial), trial])).values()]
}
