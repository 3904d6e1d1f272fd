import { createHash, randomBytes, randomUUID, sign } from 'node:crypto'
import { Agent, request } from 'undici'
import { generateSigningJwk, type Jwk, publicHalf, type SigningKey, signingKey } from '../src/jose/jwk.js'

/** One user with one browser, and a client that knows the metadata of some server. */
export interface FlowClient {
  /** Pushed request, authorization, code for tokens, refresh. */
  flow(): Promise<void>
  close(): void
}

export const redirectUri = 'https://client.example/callback'

interface Metadata {
  readonly issuer: string
  readonly pushed_authorization_request_endpoint: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
}

interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

export async function aFlowClient(issuer: string, clientJwk: Jwk): Promise<FlowClient> {
  const dispatcher = new Agent({ connections: 32, keepAliveTimeout: 60_000 })
  const clientKey = signingKey(clientJwk)
  const proofKey = signingKey(generateSigningJwk('ES256'))
  const { kid, alg, use, ...proofJwk } = publicHalf(proofKey.publicJwk)
  const cookies = new Map<string, string>()
  let nonce: string | undefined

  const send = async (url: string, method: 'GET' | 'POST', form?: URLSearchParams, dpop?: string): Promise<Answer> => {
    const { statusCode, headers, body } = await request(url, {
      method,
      dispatcher,
      headers: {
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(dpop && { dpop }),
        ...(!dpop && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
      },
      ...(form && { body: form.toString() }),
    })
    const fresh = headers['dpop-nonce']
    if (typeof fresh === 'string') nonce = fresh
    for (const line of [headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const { location } = headers
    return {
      status: statusCode,
      location: typeof location === 'string' ? location : undefined,
      text: await body.text(),
    }
  }

  const metadata = JSON.parse((await send(`${issuer}/.well-known/openid-configuration`, 'GET')).text) as Metadata

  const authenticated = async (url: string, members: Record<string, string>): Promise<Record<string, string>> => {
    const time = Math.floor(Date.now() / 1000)
    const assertion = {
      iss: 'client-1',
      sub: 'client-1',
      aud: metadata.issuer,
      jti: randomUUID(),
      iat: time,
      exp: time + 60,
    }
    const form = new URLSearchParams({
      client_id: 'client-1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: jwt(clientKey, { kid: clientKey.kid }, assertion),
      ...members,
    })
    for (let attempt = 0; ; attempt++) {
      const proof = { jti: randomUUID(), htm: 'POST', htu: url, iat: time, nonce }
      const answer = await send(url, 'POST', form, jwt(proofKey, { typ: 'dpop+jwt', jwk: proofJwk }, proof))
      if (answer.status < 300) return JSON.parse(answer.text) as Record<string, string>
      if (attempt > 0 || !answer.text.includes('use_dpop_nonce')) throw new Error(`${url}: ${answer.text}`)
    }
  }

  /** Follows the server's own redirects and answers its forms, until it sends the browser back to the client. */
  const authorize = async (start: string): Promise<URL> => {
    let answer = await send(start, 'GET')
    let at = start
    for (let step = 0; step < 12; step++) {
      if (answer.location?.startsWith(redirectUri)) return new URL(answer.location)
      if (answer.location !== undefined) {
        at = new URL(answer.location, at).href
        answer = await send(at, 'GET')
        continue
      }
      const fields = [...answer.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
      const form = new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, value]))
      if (answer.text.includes('id="sign-in"')) {
        form.set('username', 'alice')
        form.set('password', 'wonderland')
        form.set('action', 'sign-in')
      } else if (answer.text.includes('id="allow"')) form.set('action', 'allow')
      else throw new Error(answer.text)
      answer = await send(metadata.authorization_endpoint, 'POST', form)
    }
    throw new Error('the browser goes in circles')
  }

  return {
    async flow() {
      const verifier = randomBytes(32).toString('base64url')
      const pushed = await authenticated(metadata.pushed_authorization_request_endpoint, {
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid offline_access orders',
        state: randomUUID(),
        nonce: randomUUID(),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
      const query = new URLSearchParams({ client_id: 'client-1', request_uri: pushed.request_uri ?? '' })
      const callback = await authorize(`${metadata.authorization_endpoint}?${query}`)
      const tokens = await authenticated(metadata.token_endpoint, {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      })
      const refreshed = await authenticated(metadata.token_endpoint, {
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
      })
      for (const token of [tokens.access_token, refreshed.access_token])
        if (token?.split('.').length !== 3) throw new Error('the access token is not a JWT')
      if (tokens.token_type !== 'DPoP' || refreshed.id_token === undefined) throw new Error('not what was compared')
    },
    close: () => void dispatcher.destroy(),
  }
}

function jwt(key: SigningKey, header: object, claims: object): string {
  const signed = [{ alg: 'ES256', ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
