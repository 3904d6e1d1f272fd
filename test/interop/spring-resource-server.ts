import { generateSigningJwk, publicHalf, signingKey, verificationKey } from '../../src/jose/jwk.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { aClient } from '../authorization-server/_running.js'
import { freePorts } from '../flows/_stack.js'
import { authorityTrials } from './_authority-walk.js'
import { anEmbeddedServer } from './_embedded.js'
import { javaPrograms, springBootVersion } from './_java.js'
import { answers } from './_processes.js'
import { aStage } from './_stage.js'
import { assert, type ForeignProgram } from './_walk.js'

export const springResourceServer: ForeignProgram = {
  title: `Spring resource server (Spring Boot ${springBootVersion}) as an API, for tokens of the embedded server`,
  needs: ['java', 'javac', 'mvn'],
  async begin() {
    const startJava = await javaPrograms()
    const stage = await aStage()
    const [port = 0] = await freePorts(1)
    const api = `http://127.0.0.1:${port}`
    const client = {
      privateJwk: stage.clientKey,
      options: aClient('shop', {
        keys: [verificationKey(publicHalf(stage.clientKey))],
        redirectUris: [`${stage.gateway}/bff/callback`],
        postLogoutRedirectUris: [`${stage.gateway}/`],
      }).options,
    }
    const server = await anEmbeddedServer(client, api)
    const spring = startJava('ResourceServer', {
      'server.address': '127.0.0.1',
      'server.port': String(port),
      issuer: server.url,
      audience: api,
      client: 'shop',
    })
    const stop = async (): Promise<void> => {
      await stage.close()
      await spring.stop()
      await server.stop()
    }
    try {
      // It has no page that is open to all: 401 is an answer.
      await answers(spring, api, async (url) => {
        const { status } = await fetch(url)
        return new Response(null, { status: status === 401 ? 200 : 503 })
      })
      const scopes = ['openid', 'profile', 'offline_access', 'orders']
      await stage.open({ issuer: server.url, upstream: api, frontend: { Scopes: scopes } })
    } catch (error) {
      await stop()
      throw error
    }
    const trials = authorityTrials(stage, {
      async signIn(browser, page) {
        const credentials = { username: 'alice', password: 'wonderland' }
        const next = await browser.submit(page, credentials, { button: 'sign-in' })
        return next.url.origin === stage.gateway ? next : browser.submit(next, {}, { button: 'allow' })
      },
      rotateKeys: () => server.rotateKeys(),
    })
    return {
      output: () => `${spring.output()}\n${stage.output()}`,
      stop,
      trials: {
        ...trials,
        async 'a token alone, a proof twice, a proof by another key, for another method or URL: all refused'() {
          const machine = aProtocolClient(server, client)
          const { body } = await machine.post('token', { grant_type: 'client_credentials', scope: 'orders' })
          const token = String(body.access_token)
          const url = `${api}/orders`
          const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url')
          const proof = (method: string, target: string, key = machine.proofKey): string =>
            machine.proof(method, target, { key, claims: { ath, nonce: undefined } })
          const called = async (dpop: string | undefined, scheme: string): Promise<string> => {
            const headers = { Authorization: `${scheme} ${token}`, ...(dpop !== undefined && { DPoP: dpop }) }
            const answer = await fetch(url, { headers })
            return `${answer.status} ${answer.headers.get('www-authenticate') ?? ''}`
          }
          const good = proof('GET', url)
          const other = signingKey(generateSigningJwk('ES256'))
          for (const [what, status, dpop, scheme = 'DPoP'] of [
            ['a good proof', 200, good],
            ['the same again', 401, good],
            ['none', 401, undefined],
            ['none, and the scheme of a token that is not bound', 401, undefined, 'Bearer'],
            ['by another key', 401, proof('GET', url, other)],
            ['for another method', 401, proof('POST', url)],
            ['for another URL', 401, proof('GET', `${api}/other`)],
          ] as const) {
            const answered = await called(dpop, scheme)
            assert(answered.startsWith(String(status)), `${what}: ${status}, not ${answered}`)
          }
        },
      },
    }
  },
}
