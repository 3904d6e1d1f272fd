import { freePorts } from '../flows/_stack.js'
import { selfSigned } from '../http/_self-signed.js'
import { type Authority, authorityTrials, aWalker } from './_authority-walk.js'
import { type Keycloak, keycloakVersion, startKeycloak } from './_keycloak.js'
import { addApi, realmFor } from './_realm.js'
import { aStage, type Stage } from './_stage.js'
import { assert, type ForeignProgram, type Trials } from './_walk.js'

export const keycloak: ForeignProgram = {
  title: `Keycloak ${keycloakVersion} under its policy for FAPI 2.0 with DPoP, as the authority`,
  needs: ['java', 'mvn', 'unzip', 'openssl'],
  async begin() {
    const stage = await aStage(await selfSigned())
    let server: Keycloak | undefined
    const stop = async (): Promise<void> => {
      await stage.close()
      await server?.stop()
    }
    try {
      const [port = 0] = await freePorts(1)
      server = await startKeycloak(stage, port, realmFor(stage.gateway))
      await addApi(server, stage.api)
      await stage.open({ issuer: server.issuer, validator: { profile: 'keycloak' } })
      const running = server
      const authority = authorityOf(running)
      return {
        trials: { ...authorityTrials(stage, authority), ...ownTrials(stage, authority, running) },
        output: () => `${running.output()}\n${stage.output()}`,
        stop,
      }
    } catch (error) {
      await stop()
      throw error
    }
  },
}

function authorityOf({ admin }: Keycloak): Authority {
  return {
    signIn: (browser, page) => browser.submit(page, { username: 'alice', password: 'wonderland' }),
    async rotateKeys() {
      const { id } = (await admin('GET', '')) as { readonly id: string }
      const priority = String(Math.floor(Date.now() / 1000))
      await admin('POST', '/components', {
        name: `es256-${priority}`,
        providerId: 'ecdsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        parentId: id,
        config: { priority: [priority], enabled: ['true'], active: ['true'], ecdsaEllipticCurveKey: ['P-256'] },
      })
    },
    async endSession(subject) {
      await admin('POST', `/users/${subject}/logout`)
    },
  }
}

function ownTrials(stage: Stage, authority: Authority, { admin }: Keycloak): Trials {
  const { signedIn, user, call } = aWalker(stage, authority)
  const sessionsOf = async (sub: string) => (await admin('GET', `/users/${sub}/sessions`)) as readonly unknown[]
  return {
    async 'logout leaves no session, and the log says which token Keycloak did not revoke'() {
      const browser = await signedIn()
      const { logoutUrl, sub } = await user(browser)
      assert((await sessionsOf(sub)).length > 0, 'Keycloak has a session')
      await admin('POST', `/users/${sub}/logout`)
      await admin('DELETE', '/events')
      const again = await signedIn()
      const [before, { logoutUrl: second }] = [stage.logged('gateway.token.not-revoked'), await user(again)]
      assert(second !== logoutUrl, 'it is another session')
      await again.navigate(new URL(second, stage.gateway))
      assert((await sessionsOf(sub)).length === 0, 'Keycloak has no session')
      const events = (await admin('GET', '/events?max=20')) as readonly { readonly type: string }[]
      const types = events.map(({ type }) => type)
      assert(types.includes('REVOKE_GRANT'), `Keycloak has revoked a token: ${types}`)
      // It binds no refresh token of a confidential client to the key, and its policy then takes no proof for one: that one
      // ended with the session above.
      const refused = types.filter((type) => type === 'REVOKE_GRANT_ERROR').length
      assert(refused <= 1, 'Keycloak has refused the refresh token at most')
      assert(stage.logged('gateway.token.not-revoked') - before === refused, 'what it refused is in the log')
    },

    async 'a refresh token that idles in 60 s does not end the session of an active user'() {
      await admin('PUT', '', { ssoSessionIdleTimeout: 60, accessTokenLifespan: 600 })
      const browser = await signedIn()
      const end = Date.now() + 100_000
      while (Date.now() < end) {
        assert((await call(browser)).status === 200, 'the user is still signed in')
        await new Promise((resume) => setTimeout(resume, 5000))
      }
    },
  }
}
