import { randomBytes } from 'node:crypto'
import { createAuthorizationServer } from '../authorization-server/authorization-server.js'
import type { Configuration } from '../config/load.js'
import { generateProofKey } from '../dpop/prover.js'
import { ConfigurationError, ProtocolError } from '../errors.js'
import { createFrontend } from '../gateway/frontend.js'
import { createIssuerFetch, type IssuerFetch } from '../gateway/issuer-fetch.js'
import { createOAuthClient } from '../gateway/oauth/oauth-client.js'
import type { FrontendOptions } from '../gateway/options.js'
import { createMemoryStore } from '../store/memory-store.js'
import { createRedisStore } from '../store/redis-store.js'
import { createSeal } from '../store/seal.js'
import { type Listener, listen } from './listener.js'
import { adviceFor, failed, passed, printable, reasonOf, type Trial } from './trial.js'
import { tryUpstreams } from './try-upstreams.js'

/** Asks everybody that the configuration names, once each, as the gateway would. Never rejects for what they answer. */
export async function tryOut(configuration: Configuration): Promise<readonly Trial[]> {
  const frontends = configuration.gateway?.frontends ?? []
  const timeout = configuration.gateway?.issuerTimeout ?? 10
  const fetch = createIssuerFetch(timeout, configuration.gateway?.issuerCa)
  const embedded = await startEmbedded(configuration)
  try {
    const issuers = new Map<string, readonly Trial[]>()
    for (const { authority } of frontends)
      if (!issuers.has(authority)) issuers.set(authority, await tryIssuer(authority, fetch))
    const trials: Trial[] = [...embedded.trials, ...[...issuers.values()].flat()]
    for (const frontend of frontends) {
      const isReachable = issuers.get(frontend.authority)?.every(({ outcome }) => outcome !== 'failed') ?? false
      if (isReachable) trials.push(...(await tryClient(frontend, fetch, timeout)))
    }
    trials.push(...(await tryUpstreams(frontends, configuration.sampleApi?.listen.port)))
    trials.push(...(await tryStore(configuration)))
    return trials
  } finally {
    await fetch.close()
    await embedded.stop()
  }
}

/**
 * The embedded authorization server answers only while it runs. When nobody listens at its address it is started for the
 * moment, with a store of its own; otherwise it is running already, and is what is asked.
 */
async function startEmbedded({
  authorizationServer,
  plan,
  server: front,
  sealingKeys,
}: Configuration): Promise<{ readonly trials: readonly Trial[]; stop(): Promise<void> }> {
  if (authorizationServer === undefined) return { trials: [], stop: async () => undefined }
  const { options, listen: own } = authorizationServer
  const server = await createAuthorizationServer({
    ...options,
    store: createMemoryStore(),
    seal: createSeal(sealingKeys),
  })
  const place =
    own === undefined
      ? { pointer: '/Server/Listen', address: front.listen, tls: front.tls }
      : { pointer: `${plan.authorizationServer?.pointer}/Listen`, address: own, tls: plan.authorizationServer?.tls }
  let listener: Listener | undefined
  const trials: Trial[] = []
  try {
    listener = await listen({ ...place, onRequest: server.callback() })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const isRunning = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
    for (const { pointer, problem, remedy } of isRunning ? [] : error.problems)
      trials.push(failed('embedded authorization server', `${pointer} ${problem}`, remedy))
  }
  return {
    trials,
    async stop() {
      await listener?.drain(0)
      await server.close()
    },
  }
}

async function tryIssuer(authority: string, fetch: IssuerFetch): Promise<readonly Trial[]> {
  const subject = `${authority}: discovery`
  const url = `${authority.replace(/\/$/, '')}/.well-known/openid-configuration`
  const asked = Date.now()
  let response: Response
  let metadata: { readonly issuer?: unknown }
  try {
    response = await fetch(url, {})
    if (response.status !== 200)
      return [
        failed(
          subject,
          `${url} answers ${response.status}`,
          'Is Authority the issuer identifier, with its whole path?',
        ),
      ]
    metadata = (await response.json()) as { readonly issuer?: unknown }
  } catch (error) {
    return [failed(subject, `${url} cannot be read: ${reasonOf(error)}`, adviceFor(error))]
  }
  if (metadata.issuer !== authority)
    return [
      failed(
        subject,
        `the server calls itself ${JSON.stringify(metadata.issuer)}`,
        'Write exactly that as Authority: issuers are compared character by character.',
      ),
    ]
  return [passed(subject, 'found, and the issuer is the configured one'), clockTrial(authority, response, asked)]
}

/** Assertions and proofs live for about a minute: so far clocks may be apart, not further. */
function clockTrial(authority: string, response: Response, asked: number): Trial {
  const subject = `${authority}: clock`
  const theirs = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return { subject, outcome: 'noted', result: 'it does not say what time it is' }
  // The header has whole seconds, and the answer took its time.
  const ours = (asked + Date.now()) / 2
  const skew = Math.round(Math.abs(theirs + 500 - ours) / 1000)
  if (skew < 5) return passed(subject, 'agrees with ours')
  const result = `${skew} seconds ${theirs < ours ? 'behind' : 'ahead of'} ours`
  const remedy = 'Synchronise both machines by NTP.'
  return skew < 10 ? { subject, outcome: 'noted', result, remedy } : failed(subject, result, remedy)
}

/** Discovery as the gateway does it, then a real push: key, client, redirect URI and scopes in one request. */
async function tryClient(options: FrontendOptions, fetch: IssuerFetch, timeout: number): Promise<readonly Trial[]> {
  const frontend = createFrontend(options)
  const { watched, refusal } = watchRefusals(fetch)
  const oauth = createOAuthClient({ frontend, fetch: watched, timeout, now: () => Date.now() / 1000 })
  const trials: Trial[] = []
  try {
    await oauth.metadata()
    trials.push(passed(`${options.name}: metadata`, 'the authorization server offers what this frontend needs'))
  } catch (error) {
    return [failed(`${options.name}: metadata`, reasonOf(error), 'Use a server with PAR, PKCE S256 and DPoP.')]
  }
  if (!options.pushedAuthorizationRequests) return trials

  const subject = `${options.name}: pushed authorization request`
  try {
    await oauth.pushAuthorizationRequest({
      state: random(),
      nonce: options.scopes.includes('openid') ? random() : undefined,
      codeVerifier: random(),
      proofKey: options.dpop ? generateProofKey() : undefined,
      parameters: {},
    })
    trials.push(passed(subject, `accepted, with client ${options.clientId} and redirect URI ${frontend.redirectUri}`))
  } catch (error) {
    const { code, description } = refusal()
    const stated = [code ?? (error instanceof ProtocolError ? error.code : undefined), description].filter(Boolean)
    trials.push(failed(subject, stated.join(': ') || reasonOf(error), pushAdvice(code, options, frontend.redirectUri)))
  }
  return trials
}

function pushAdvice(code: string | undefined, { clientId, scopes }: FrontendOptions, redirectUri: string): string {
  switch (code) {
    case 'invalid_client':
      return `Register the public key of ClientSigningKeyJwk for client ${clientId} there, for private_key_jwt.`
    case 'invalid_scope':
      return `Allow client ${clientId} these scopes there, or ask for fewer: ${scopes.join(' ')}.`
    case 'unauthorized_client':
      return `Allow client ${clientId} the authorization code grant and pushed requests there.`
    default:
      return `Register exactly this redirect URI for client ${clientId} there: ${redirectUri}`
  }
}

/** What the last refusal said: for an operator's eyes, which the gateway itself never lets it reach. */
function watchRefusals(fetch: IssuerFetch) {
  let last: { readonly code?: string; readonly description?: string } = {}
  const watched: IssuerFetch = Object.assign(
    async (...[url, options]: Parameters<IssuerFetch>) => {
      const response = await fetch(url, options)
      if (response.status >= 400) {
        const body: unknown = await response
          .clone()
          .json()
          .catch(() => undefined)
        const { error, error_description: description } = (body ?? {}) as Record<string, unknown>
        last = {
          ...(typeof error === 'string' && { code: printable(error) }),
          ...(typeof description === 'string' && { description: printable(description) }),
        }
      }
      return response
    },
    { nonceOf: fetch.nonceOf, close: fetch.close },
  )
  return { watched, refusal: () => last }
}

async function tryStore({ store: settings }: Configuration): Promise<readonly Trial[]> {
  if (settings.kind === 'memory') return []
  const subject = 'Redis'
  try {
    const store = await createRedisStore(settings)
    await store.get('check')
    await store.close()
    return [passed(subject, 'answers')]
  } catch (error) {
    return [failed(subject, reasonOf(error), 'Is Store.Redis.Url right, and may this machine connect?')]
  }
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
