import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { aClient, callbackUri } from '../authorization-server/_running.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { anEmbeddedServer } from './_embedded.js'
import type { Running } from './_processes.js'
import { assert, type Walk } from './_walk.js'

/** What a client says it has done, in this order. */
const stepsOf = (kind: ClientKind): readonly string[] => [
  'iss and state of the answer',
  'login',
  ...(kind === 'signed' ? ['authorization details'] : []),
  'userinfo',
  'API',
  'API without a token',
  'introspection',
  'refresh',
  'key rotation',
  'API after key rotation',
  'revocation',
  'introspection after revocation',
  'refresh after revocation',
  'logout',
]

/** `signed`: its requests have to be signed and its responses are, and it asks for `authorization_details`. */
export type ClientKind = 'plain' | 'signed'

/**
 * A client of the embedded server in another language, which walks by itself. What it cannot do alone it asks for, with a line of
 * its standard output: a login and a logout in a browser, new signing keys.
 * @param start Of the program, with issuer, client, private key, redirect URI, API and kind as its parameters.
 */
export async function clientWalk(kind: ClientKind, start: (parameters: readonly string[]) => Running): Promise<Walk> {
  const steps = stepsOf(kind)
  let guard: ReturnType<typeof protect> | undefined
  const api = createServer(async (request, response) => {
    if ((await guard?.(request, response)) !== undefined) response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  const apiUrl = `http://127.0.0.1:${(api.address() as { readonly port: number }).port}`
  const signing = { requireSignedRequests: true, requireSignedResponses: true, authorizationDetailTypes: ['accounts'] }
  const client = aClient('foreign-client', kind === 'signed' ? signing : {})
  const server = await anEmbeddedServer(client, apiUrl)
  guard = protect(createVerifier({ issuer: server.url, audience: apiUrl, publicUrl: apiUrl, nonce: true }))
  let program: Running | undefined

  const browser = createUserAgent()
  const stopAt = ({ href }: URL): boolean => href.startsWith(callbackUri)
  const answersTo: Readonly<Record<string, (detail: string) => Promise<string>>> = {
    async login(url) {
      const page = await browser.navigate(url)
      const consent = await browser.submit(
        page,
        { username: 'alice', password: 'wonderland' },
        { button: 'sign-in', stopAt },
      )
      return (await browser.submit(consent, {}, { button: 'allow', stopAt })).url.href
    },
    async rotate() {
      await server.rotateKeys()
      return 'rotated'
    },
    async logout(url) {
      const { body } = await browser.navigate(url)
      assert(/You are signed out/.test(body), `the browser is signed out: ${body}`)
      return 'signed out'
    },
  }

  return {
    output: () => program?.output() ?? '',
    trials: {
      async [`${steps.slice(1).join(', ')}`]() {
        const key = JSON.stringify(client.privateJwk)
        program = start([server.url, 'foreign-client', key, callbackUri, apiUrl, kind])
        const { child } = program
        if (child.stdout === null) throw new TypeError('its output is not read')
        const passed: string[] = []
        for await (const line of createInterface(child.stdout)) {
          const [what, ...words] = line.split(' ')
          if (what === 'passed') passed.push(words.join(' '))
          if (what !== 'ask') continue
          const [question = '', detail = ''] = words
          child.stdin?.write(`${await answersTo[question]?.(detail)}\n`)
        }
        assert(passed.join() === steps.join(), `all steps are passed, not only these: ${passed.join(', ')}`)
      },
    },
    async stop() {
      await program?.stop()
      await server.stop()
      api.close()
      api.closeAllConnections()
    },
  }
}
