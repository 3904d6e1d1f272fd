import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { generateProofKey } from '../../src/dpop/prover.js'
import { createFrontend, type Frontend } from '../../src/gateway/frontend/frontend.js'
import type { Gateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions, GatewayOptions } from '../../src/gateway/options.js'
import { createOpenedSessions } from '../../src/gateway/session/opened-sessions.js'
import type { SessionRecord } from '../../src/gateway/session/session-record.js'
import { createSessionStore, type SessionStore } from '../../src/gateway/session/session-store.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { type CallOptions, call, type Reply } from './_client.js'
import { aFrontend, aRoute, type Listening, listen, serveGateway, startApi } from './_gateway.js'

/** A gateway with sessions that nobody had to log in for: no authorization server is there. */
export interface Planted {
  readonly on: Listening
  readonly gateway: Gateway
  readonly options: GatewayOptions
  readonly api: Awaited<ReturnType<typeof startApi>>
  /** The frontend's sessions as another process on the same store would see them. */
  sessionsOf(name: string): SessionStore
  plant(name?: string, record?: Partial<SessionRecord>): Promise<PlantedSession>
  call(path: string, options?: CallOptions): Promise<Reply>
}

export interface PlantedSession {
  readonly id: string
  /** The `Cookie` header of its browser. */
  readonly cookie: string
  readonly accessToken: string
}

/** What our own page's script sends along. */
export const ownPage = { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' }
/** What a browser sends when a person opens a page. */
export const navigation = {
  Accept: 'text/html,application/xhtml+xml',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
}

export interface PlantedOptions {
  readonly frontends?: readonly (Partial<FrontendOptions> & { readonly name: string })[]
  readonly gateway?: Partial<GatewayOptions>
  readonly authority?: string
}

export async function aPlantedGateway(t: ExecutionContext, options: PlantedOptions = {}): Promise<Planted> {
  const [on, api] = await Promise.all([listen(), startApi()])
  const given: GatewayOptions = {
    frontends: (options.frontends ?? [{ name: 'app' }]).map((frontend) =>
      aFrontend({
        publicUrl: new URL(on.url),
        authority: options.authority ?? 'http://127.0.0.1:9',
        routes: [aRoute({ upstreams: [new URL(api.url)] })],
        ...frontend,
      }),
    ),
    store: createMemoryStore(),
    seal: createSeal([randomBytes(32)]),
    ...options.gateway,
  }
  const gateway = await serveGateway(on, given)
  t.teardown(async () => {
    await on.close()
    await Promise.all([gateway.close(), api.close()])
  })
  return {
    on,
    gateway,
    options: given,
    api,
    ...planting(given),
    call: (path, callOptions) => call(new URL(on.url), path, callOptions),
  }
}

/** Makes sessions without a login, in the store of a gateway with these options. */
export function planting({
  frontends: options,
  store,
  seal,
  administered = false,
  now = () => Date.now() / 1000,
}: Pick<GatewayOptions, 'frontends' | 'store' | 'seal' | 'administered' | 'now'>): Pick<
  Planted,
  'sessionsOf' | 'plant'
> {
  const frontends = new Map(options.map((frontend) => [frontend.name, createFrontend(frontend)]))
  const frontendOf = (name: string): Frontend => {
    const frontend = frontends.get(name)
    if (frontend === undefined) throw new Error(`no frontend ${name}`)
    return frontend
  }
  const sessionsOf = (name: string): SessionStore =>
    createSessionStore({
      store,
      seal,
      frontend: frontendOf(name),
      opened: createOpenedSessions(),
      keepsOwners: administered,
      now,
    })
  return {
    sessionsOf,
    async plant(name = 'app', record = {}) {
      const id = randomBytes(32).toString('base64url')
      const accessToken = `token-${randomBytes(8).toString('hex')}`
      await sessionsOf(name).start(id, {
        createdAt: Math.floor(now()),
        subject: 'alice',
        claims: { sub: 'alice' },
        proofKey: generateProofKey(),
        refreshToken: 'refresh',
        accessTokens: { '': { value: accessToken, expiresAt: now() + 3000 } },
        ...record,
      })
      return { id, cookie: `${frontendOf(name).sessionCookie}=${id}`, accessToken }
    },
  }
}

export function codeOf(reply: Reply): string | undefined {
  try {
    return (JSON.parse(reply.text) as { readonly code?: string }).code
  } catch {
    return /<dt>Code<\/dt><dd>([^<]*)/.exec(reply.text)?.[1]
  }
}
