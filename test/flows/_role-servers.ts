import { publicHalf, verificationKey } from '../../src/jose/jwk.js'
import { aClient, startServer } from '../authorization-server/_running.js'
import { clientJwk, clientPublicJwk } from '../gateway/_gateway.js'
import { logIn, startProvider } from '../gateway/_provider.js'
import type { UserAgent } from './_user-agent.js'

/** An authorization server whose users have the roles that a test says. Any password is right. */
export interface RoleServer {
  readonly issuer: string
  /** By user name. */
  readonly roles: Map<string, readonly string[]>
  /** Logs alice in. */
  logIn(browser: UserAgent): Promise<unknown>
  close(): Promise<unknown>
}

export const scopesWithRoles = ['openid', 'profile', 'roles', 'offline_access']

type Roles = RoleServer['roles']
const claimsOf = (roles: Roles, user: string) => ({ ...(roles.has(user) && { roles: [...(roles.get(user) ?? [])] }) })

/** @param url of the gateway */
async function nodeOidcProvider(url: string): Promise<RoleServer> {
  const roles: Roles = new Map()
  const provider = await startProvider({
    configuration: {
      claims: { openid: ['sub'], profile: ['name'], roles: ['roles'] },
      scopes: scopesWithRoles,
      findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...claimsOf(roles, sub) }) }),
      async loadExistingGrant(ctx) {
        const { client, session } = ctx.oidc
        if (client === undefined || session?.accountId === undefined) return undefined
        const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
        grant.addOIDCScope(scopesWithRoles.join(' '))
        await grant.save()
        return grant
      },
    },
  })
  provider.register([
    {
      clientId: 'my-bff',
      publicJwk: clientPublicJwk,
      redirectUri: `${url}/bff/callback`,
      postLogoutRedirectUri: `${url}/`,
    },
  ])
  return {
    issuer: provider.issuer,
    roles,
    logIn: (browser) => logIn(browser, `${url}/bff/login`),
    close: () => provider.close(),
  }
}

async function embedded(url: string): Promise<RoleServer> {
  const roles: Roles = new Map()
  const server = await startServer({
    client: aClient('my-bff', {
      redirectUris: [`${url}/bff/callback`],
      keys: [verificationKey(publicHalf(clientJwk))],
    }),
    users: [],
    verifyUser: async (username) => ({ subject: username, claims: claimsOf(roles, username) }),
    findUser: async (subject) => claimsOf(roles, subject),
    lifetimes: { accessToken: 300 },
  })
  return {
    issuer: server.url,
    roles,
    async logIn(browser) {
      const page = await browser.navigate(`${url}/bff/login`)
      const consent = await browser.submit(page, { username: 'alice', password: 'wonderland' })
      return browser.submit(consent, {}, { button: 'allow' })
    },
    close: () => server.stop(),
  }
}

export const roleServers = [
  ['node-oidc-provider', nodeOidcProvider],
  ['the embedded authorization server', embedded],
] as const
