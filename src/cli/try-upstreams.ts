import { Agent, fetch } from 'undici'
import type { FrontendOptions, RouteOptions } from '../gateway/options.js'
import { isLoopback } from '../http/loopback.js'
import { tlsPreset } from '../http/tls.js'
import { adviceFor, failed, passed, printable, reasonOf, type Trial } from './trial.js'

/** Seconds for one call. */
const timeout = 5

/**
 * Whether each upstream can be reached, with the TLS settings of its route, and whether what it says of itself (RFC 9728)
 * fits what it will be sent. Without a token: nothing happens there.
 */
export async function tryUpstreams(
  frontends: readonly FrontendOptions[],
  samplePort: number | undefined,
): Promise<readonly Trial[]> {
  const trials = new Map<string, Promise<readonly Trial[]>>()
  for (const frontend of frontends)
    for (const route of frontend.routes)
      for (const upstream of route.upstreams) {
        const key = `${upstream.href} ${frontend.authority} ${route.resource}`
        if (!trials.has(key)) trials.set(key, tryUpstream(upstream, route, frontend, samplePort))
      }
  return unique((await Promise.all(trials.values())).flat())
}

async function tryUpstream(
  upstream: URL,
  route: RouteOptions,
  frontend: FrontendOptions,
  samplePort: number | undefined,
): Promise<readonly Trial[]> {
  const subject = `upstream ${upstream.href}`
  const { serverName, ...certificates } = route.tls ?? {}
  const dispatcher = new Agent({
    connect: { ...tlsPreset, ...certificates, ...(serverName && { servername: serverName }), timeout: timeout * 1000 },
  })
  const get = (url: URL) => fetch(url, { dispatcher, redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) })
  try {
    const response = await get(upstream)
    await response.body?.cancel()
    const reached = passed(subject, `answers (${response.status} without a token)`)
    if (route.tokenType === 'None') return [reached]
    const metadata = await get(metadataUrl(upstream))
      .then((answer) => (answer.status === 200 ? answer.json() : undefined))
      .catch(() => undefined)
    return [reached, ...metadataTrials(subject, metadata, route, frontend)]
  } catch (error) {
    if (isLoopback(upstream.hostname) && Number(upstream.port) === samplePort)
      return [{ subject, outcome: 'noted', result: 'is the sample API of this file, which starts with the gateway' }]
    return [failed(subject, `cannot be reached: ${reasonOf(error)}`, adviceFor(error))]
  } finally {
    await dispatcher.destroy()
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 RFC 9728 §3.1} */
function metadataUrl({ origin, pathname }: URL): URL {
  return new URL(`${origin}/.well-known/oauth-protected-resource${pathname.replace(/\/$/, '')}`)
}

function metadataTrials(
  subject: string,
  metadata: unknown,
  { resource }: RouteOptions,
  { authority, dpop }: FrontendOptions,
): readonly Trial[] {
  if (typeof metadata !== 'object' || metadata === null) return []
  const said = metadata as Readonly<Record<string, unknown>>
  const { authorization_servers: servers, dpop_signing_alg_values_supported: algorithms } = said
  const trials: Trial[] = []
  if (Array.isArray(servers) && !servers.includes(authority))
    trials.push(
      failed(
        `${subject}: metadata`,
        `it takes access tokens of ${printable(servers.join(', '))} only, not of ${authority}`,
        "Configure the API's verifier with the frontend's Authority as issuer, or send the frontend there.",
      ),
    )
  if (dpop && Array.isArray(algorithms) && !algorithms.includes('ES256'))
    trials.push(
      failed(
        `${subject}: metadata`,
        'it does not take DPoP proofs with ES256, which is what the gateway makes',
        "Allow ES256 in the API's verifier.",
      ),
    )
  if (!dpop && said.dpop_bound_access_tokens_required === true)
    trials.push(
      failed(`${subject}: metadata`, 'it takes DPoP-bound access tokens only', 'Leave UseDPoP out of the frontend.'),
    )
  if (resource !== undefined && typeof said.resource === 'string' && said.resource !== resource)
    trials.push({
      subject: `${subject}: metadata`,
      outcome: 'noted',
      result: `it calls itself ${printable(said.resource)}, and the route's Resource is ${resource}`,
      remedy: 'Does the authorization server know that the two are one audience?',
    })
  return trials.length > 0 ? trials : [passed(`${subject}: metadata`, 'fits the tokens it will get')]
}

function unique(trials: readonly Trial[]): Trial[] {
  return [...new Map(trials.map((trial) => [JSON.stringify(trial), trial])).values()]
}
