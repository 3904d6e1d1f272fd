import type { IncomingMessage } from 'node:http'
import { rootCertificates } from 'node:tls'
import { Agent, fetch as undiciFetch } from 'undici'
import type { Configuration } from '../../../../config/load.js'
import { endpointPath } from '../../../../gateway/endpoints/endpoint-paths.js'
import { createLabBrowser, type Fetch, type LabBrowser } from './lab-browser.js'
import { createLabClient, type LabClient } from './lab-client.js'

/** The second of the demo's users: the first one is the person in front of the screen. */
const user = { username: 'bob', password: 'builder' }
/** Seconds for which a proof that was caught is tried: later it would be refused for its age. */
const freshFor = 30
const callPath = '/api/orders'

/** A call as it passed between gateway and API, with all that is secret about it. */
export interface CaughtCall {
  readonly method: string
  readonly url: URL
  readonly authorization: string
  readonly accessToken: string
  readonly proof: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What an attack can be made with: a victim's browser, the client's key, and a call that somebody has listened to. */
export interface Lab {
  readonly fetch: Fetch
  readonly client: LabClient
  readonly gateway: URL
  /** An address of the sample API, as the gateway calls it. */
  readonly api: URL
  /** Bob's browser: it knows him at the authorization server once he has signed in there. */
  readonly victim: LabBrowser
  newBrowser(): LabBrowser
  /** The same browser, signed in at the gateway. */
  signedIn(): Promise<LabBrowser>
  /** The last call of the API, or one that is made for it. */
  caughtCall(): Promise<CaughtCall>
  /** Bob opens a login of the gateway, and is stopped before it gets its answer. */
  answerOfLogin(): Promise<URL>
  /** The same for a request that the client has pushed itself. @returns the code */
  codeFor(request: URL): Promise<string>
}

export interface LabParts {
  readonly lab: Lab
  /** For the observer. */
  readonly onApiCall: (request: IncomingMessage) => void
  close(): Promise<void>
}

/** @returns undefined where variables have taken away the first frontend's key or the server: then there is nothing to attack. */
export function createLab({ gateway, authorizationServer }: Configuration): LabParts | undefined {
  const [frontend] = gateway?.frontends ?? []
  const key =
    frontend?.clientAuthentication.method === 'private_key_jwt' ? frontend.clientAuthentication.keys[0] : undefined
  if (gateway === undefined || authorizationServer === undefined || frontend === undefined || key === undefined)
    return undefined
  const { issuerCa } = gateway
  const agent = new Agent({ connect: issuerCa === undefined ? {} : { ca: [...rootCertificates, issuerCa] } })
  const send: Fetch = (url, init) => undiciFetch(url, { ...init, dispatcher: agent })
  const origin = frontend.publicUrl
  const endpoint = (name: 'login' | 'callback'): URL => new URL(endpointPath(frontend.pathPrefix, name), origin)
  const redirectUri = endpoint('callback').href
  const client = createLabClient({
    fetch: send,
    issuer: frontend.authority,
    clientId: frontend.clientId,
    key,
    redirectUri,
    scopes: frontend.scopes,
  })
  const api = new URL(callPath, frontend.routes[0]?.upstreams[0] ?? origin)
  const isCallback = (url: URL): boolean => url.href.startsWith(redirectUri)
  let last: CaughtCall | undefined

  const newBrowser = (): LabBrowser => createLabBrowser(send)
  const victim = newBrowser()
  const call = async (): Promise<boolean> => {
    const answer = await victim.send(new URL(callPath, origin), {
      headers: { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' },
    })
    await answer.body?.cancel()
    return answer.ok
  }
  const signedIn = async (): Promise<LabBrowser> => {
    if (await call()) return victim
    await victim.walk(endpoint('login'), user, (url) => url.origin === origin.origin && !isCallback(url))
    if (!(await call())) throw new Error('the call of a user who is signed in was refused')
    return victim
  }

  return {
    lab: {
      fetch: send,
      client,
      gateway: origin,
      api,
      victim,
      newBrowser,
      signedIn,
      async caughtCall() {
        if (last === undefined || Date.now() - last.at > freshFor * 1000) await signedIn()
        if (last === undefined) throw new Error('no call has reached the API')
        return last
      },
      answerOfLogin: () => victim.walk(endpoint('login'), user, isCallback),
      async codeFor(request) {
        return (await victim.walk(request, user, isCallback)).searchParams.get('code') ?? ''
      },
    },
    onApiCall({ method = '', url = '', headers }) {
      const { authorization = '', dpop, host = '' } = headers
      const [scheme, accessToken = ''] = authorization.split(' ')
      if (scheme !== 'DPoP' || typeof dpop !== 'string') return
      last = { method, url: new URL(`http://${host}${url}`), authorization, accessToken, proof: dpop, at: Date.now() }
    },
    close: () => agent.destroy(),
  }
}
