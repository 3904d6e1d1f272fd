import type { ExecutionContext } from 'ava'
import type { FrontendOptions, GatewayOptions } from '../../../src/gateway/options.js'
import type { RouteOptions } from '../../../src/gateway/route-options.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createUserAgent, type Landing, type UserAgent } from '../../flows/_user-agent.js'
import { aRoute } from '../_gateway.js'
import { anIssuer } from '../_issuer.js'
import { aPlantedGateway } from '../_planted.js'
import { recordingUpstream } from '../_upstream.js'

export interface SteppingOptions {
  readonly frontend?: Partial<FrontendOptions>
  readonly route?: Partial<RouteOptions>
  readonly gateway?: Partial<GatewayOptions>
}

/** A gateway between an authorization server and an API of which every answer is the test's to say. */
export async function aStepping(t: ExecutionContext, { frontend, route, gateway }: SteppingOptions = {}) {
  const issuer = await anIssuer(t)
  const self = {
    /** Claims of the next ID token, besides the usual ones. */
    idToken: { acr: 'bronze', auth_time: Math.floor(Date.now() / 1000) } as Record<string, unknown>,
    /** What the API refuses every call with. */
    challenge: undefined as string | readonly string[] | undefined,
    /** What the server answers instead of a code. */
    error: undefined as string | undefined,
    /** The last request that was pushed. */
    pushed: new URLSearchParams(),
  }
  const api = await recordingUpstream((_request, response) => {
    if (self.challenge === undefined) response.end('{"from":"api"}')
    else response.writeHead(401, { 'WWW-Authenticate': self.challenge as string }).end('{"from":"api"}')
  })
  t.teardown(() => api.close())
  const store = gateway?.store ?? createMemoryStore()
  const world = await aPlantedGateway(t, {
    authority: issuer.issuer,
    frontends: [
      {
        name: 'app',
        requireIssuer: true,
        routes: [aRoute({ upstreams: [api.url], ...route }), aRoute({ path: '/plain', upstreams: [api.url] })],
        ...frontend,
      },
    ],
    gateway: { ...gateway, store },
  })
  issuer.answers.set('/par', async (request, response) => {
    let form = ''
    for await (const chunk of request) form += String(chunk)
    self.pushed = new URLSearchParams(form)
    response.writeHead(201).end('{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60}')
  })
  issuer.refreshed = async () => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: issuer.issuer, aud: 'my-bff', sub: 'alice', iat: now, exp: now + 300 }
    const id_token = await issuer.sign({ ...claims, nonce: self.pushed.get('nonce'), ...self.idToken }, { typ: 'JWT' })
    return { access_token: 'token', token_type: 'DPoP', expires_in: 300, refresh_token: 'refresh', id_token }
  }
  const at = (path: string): string => new URL(path, world.on.url).href
  const isAtTheServer = ({ pathname }: URL): boolean => pathname === '/authorize'

  const returned = (browser: UserAgent): Promise<Landing> => {
    const answer = self.error === undefined ? { code: 'c' } : { error: self.error }
    const query = new URLSearchParams({ ...answer, state: self.pushed.get('state') ?? '', iss: issuer.issuer })
    return browser.navigate(at(`/bff/callback?${query}`), { stopAt: ({ pathname }) => pathname !== '/bff/callback' })
  }
  return Object.assign(self, {
    issuer,
    world,
    api,
    store,
    at,
    browser: createUserAgent(),
    returned,
    /** From a login link to the server. What stops it comes back instead. */
    go: (browser: UserAgent, link: string): Promise<Landing> => browser.navigate(at(link), { stopAt: isAtTheServer }),
    /** From a login link to what the callback answers. */
    async login(browser: UserAgent, link = '/bff/login'): Promise<Landing> {
      const landing = await browser.navigate(at(link), { stopAt: isAtTheServer })
      return isAtTheServer(landing.url) ? returned(browser) : landing
    },
    async call(browser: UserAgent, path = '/api', init?: RequestInit) {
      const response = await browser.call(at(path), init)
      const body = (await response.json()) as {
        readonly code?: string
        readonly from?: string
        readonly loginUrl?: string
      }
      return { status: response.status, ...body }
    },
    async who(browser: UserAgent): Promise<Record<string, unknown>> {
      return (await (await browser.call(at('/bff/user'))).json()) as Record<string, unknown>
    },
  })
}

/** The refusal that a page or a document shows. */
export function codeOn({ body }: Landing): string | undefined {
  return /"code":"([^"]*)"/.exec(body)?.[1] ?? /<dd>(bff\.[^<]*)/.exec(body)?.[1]
}

/** As the validator writes it. */
export function challengeFor(parameters: Readonly<Record<string, string>>): string {
  const all = { error: 'insufficient_user_authentication', ...parameters, algs: 'ES256' }
  return `DPoP ${Object.entries(all)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`
}
