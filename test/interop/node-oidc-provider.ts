import { createRequire } from 'node:module'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import type { Landing, UserAgent } from '../flows/_user-agent.js'
import { serverKeys, startProvider } from '../gateway/_provider.js'
import { authorityTrials } from './_authority-walk.js'
import { aProviderStore } from './_provider-store.js'
import { aStage } from './_stage.js'
import type { ForeignProgram } from './_walk.js'

const { version } = createRequire(import.meta.url)('oidc-provider/package.json') as { readonly version: string }

export const nodeOidcProvider: ForeignProgram = {
  title: `node-oidc-provider ${version} as the authority`,
  needs: [],
  async begin() {
    const stage = await aStage()
    const keys = serverKeys.map((key) => ({ ...key }))
    const provider = await startProvider({
      configuration: {
        jwks: { keys },
        // Both are the same after new keys: sessions live on.
        cookies: { keys: ['interop'] },
        adapter: aProviderStore(),
        features: {
          resourceIndicators: {
            enabled: true,
            defaultResource: () => stage.api,
            useGrantedResource: () => true,
            getResourceServerInfo: () => ({
              scope: '',
              audience: stage.api,
              accessTokenFormat: 'jwt',
              jwt: { sign: { alg: 'ES256' } },
            }),
          },
        },
      },
    })
    provider.accessTokenLifetime = 70
    const register = (): void =>
      provider.register([
        {
          clientId: 'shop',
          publicJwk: publicHalf(stage.clientKey),
          redirectUri: `${stage.gateway}/bff/callback`,
          postLogoutRedirectUri: `${stage.gateway}/`,
          backchannelLogoutUri: `${stage.gateway}/bff/backchannel-logout`,
        },
      ])
    register()
    await stage.open({ issuer: provider.issuer, frontend: { Scopes: ['openid', 'profile'] } })
    const confirmLogout = async (browser: UserAgent, { body }: Landing): Promise<void> => {
      const xsrf = /name="xsrf" value="([^"]*)"/.exec(body)?.[1] ?? ''
      await browser.fetch(`${provider.issuer}/session/end/confirm`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
      })
    }
    const trials = authorityTrials(stage, {
      signIn: (browser, page) => browser.submit(page, { login: 'alice', password: 'any' }),
      async rotateKeys() {
        keys.unshift({ ...generateSigningJwk('ES256') }, { ...generateSigningJwk('PS256') })
        register()
      },
      confirmLogout,
      endSession: async (_subject, browser) =>
        confirmLogout(browser, await browser.navigate(`${provider.issuer}/session/end`)),
    })
    return {
      trials,
      output: () => `${provider.errors.join('\n')}\n${stage.output()}`,
      async stop() {
        await stage.close()
        await provider.close()
      },
    }
  },
}
