import type { ExecutionContext } from 'ava'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import { anIssuer, type Issuer } from './_issuer.js'
import { aPlantedGateway, type Planted, type PlantedOptions } from './_planted.js'

/** A login at an authorization server of which every answer is the test's to say. */
export interface ScriptedLogin {
  readonly issuer: Issuer
  readonly world: Planted
  /** Claims of the next ID token, besides the usual ones, and its signature. */
  idToken: (claims: Record<string, unknown>) => Promise<string>
  /** One login from its beginning to its end: what `P/user` says then, or the code of the refusal. */
  run(): Promise<{ readonly code?: string; readonly user: Record<string, unknown>; readonly browser: UserAgent }>
}

export async function aScriptedLogin(t: ExecutionContext, options: PlantedOptions = {}): Promise<ScriptedLogin> {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { ...options, authority: issuer.issuer })
  let pushed = new URLSearchParams()
  issuer.metadata = { userinfo_endpoint: `${issuer.issuer}/userinfo` }
  issuer.answers.set('/par', async (request, response) => {
    let form = ''
    for await (const chunk of request) form += String(chunk)
    pushed = new URLSearchParams(form)
    response.writeHead(201).end('{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60}')
  })
  const self = {
    issuer,
    world,
    idToken: (claims: Record<string, unknown>) => issuer.sign(claims, { typ: 'JWT' }),
    async run() {
      const browser = createUserAgent()
      const at = (path: string): URL => new URL(path, world.on.url)
      await browser.navigate(at('/bff/login'), { stopAt: ({ pathname }) => pathname === '/authorize' })
      const query = new URLSearchParams({ code: 'c', state: pushed.get('state') ?? '', iss: issuer.issuer })
      const { body } = await browser.navigate(at(`/bff/callback?${query}`), {
        stopAt: ({ pathname }) => pathname === '/',
      })
      const code = /"code":"([^"]*)"/.exec(body)?.[1]
      const user = (await (await browser.call(at('/bff/user'))).json()) as Record<string, unknown>
      return { ...(code !== undefined && { code }), user, browser }
    },
  }
  issuer.refreshed = async () => {
    const now = Math.floor(Date.now() / 1000)
    const nonce = pushed.get('nonce')
    const claims = { iss: issuer.issuer, aud: 'my-bff', sub: 'alice', iat: now, exp: now + 300, nonce }
    return { access_token: 'token', token_type: 'DPoP', expires_in: 300, id_token: await self.idToken(claims) }
  }
  return self
}
