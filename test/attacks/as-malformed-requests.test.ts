import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import { anyCharacter } from '../_any-character.js'
import { aProtocolClient, jwt } from '../authorization-server/_client.js'
import { startServer } from '../authorization-server/_running.js'

const server = await startServer()
test.after.always(() => server.stop())
const client = aProtocolClient(server)

const numRuns = Number(process.env.PROPERTY_RUNS ?? 150)
const forms = ['par', 'token', 'introspect', 'revoke']
const names = [
  'client_id',
  'client_assertion',
  'client_assertion_type',
  'grant_type',
  'code',
  'code_verifier',
  'redirect_uri',
  'scope',
  'resource',
  'resource[]',
  'state',
  'nonce',
  'prompt',
  'max_age',
  'request',
  'request_uri',
  'refresh_token',
  'token',
  'token_type_hint',
  'dpop_jkt',
  'response_type',
  'response_mode',
  'code_challenge',
  'code_challenge_method',
  'id_token_hint',
  'claims',
  '__proto__',
  'constructor',
  'toString',
  'action',
  'username',
  'password',
  'form_token',
  'logout_hint',
  'post_logout_redirect_uri',
  'ui_locales',
]
const text = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 60 }),
  fc.constantFrom(
    '',
    '[object Object]',
    '\0',
    '\r\nSet-Cookie: x=y',
    '%',
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'code',
    'S256',
    'none',
    'eyJ.eyJ.',
    '9'.repeat(400),
  ),
)
const form = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 10 })), text), {
  maxLength: 12,
})

/** An OAuth error document, or what the endpoint answers to something good. Never a fault of ours. */
async function isProper(response: Response): Promise<boolean> {
  const type = response.headers.get('content-type') ?? ''
  const body = await response.text()
  if (response.status >= 500) return false
  if (response.status < 400) return true
  if (type.startsWith('text/html')) return /<dd>[a-z_]+: /.test(body)
  if (!type.startsWith('application/json')) return false
  const { error, error_description: description } = JSON.parse(body) as Record<string, unknown>
  return /^[a-z_]+$/.test(String(error)) && /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(String(description))
}

test('whatever form is posted, the answer is an OAuth document', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...forms, 'authorize', 'endsession'),
      form,
      fc.boolean(),
      async (endpoint, members, authenticated) => {
        const body = new URLSearchParams(members)
        if (authenticated) {
          body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
          body.set('client_assertion', client.assertion())
          body.delete('client_id')
        }
        const headers = { dpop: client.proof('POST', `${server.url}/connect/${endpoint}`) }
        const url = `${server.url}/connect/${endpoint}`
        return isProper(await fetch(url, { method: 'POST', body, headers, redirect: 'manual' }))
      },
    ),
    { numRuns },
  )
  t.pass()
})

test('whatever is in the query of a page, the answer is a page or a redirect to ourselves', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('authorize', 'endsession', 'userinfo', 'jwks'),
      form,
      async (endpoint, members) => {
        const response = await fetch(`${server.url}/connect/${endpoint}?${new URLSearchParams(members)}`, {
          redirect: 'manual',
        })
        const location = response.headers.get('location')
        if (location !== null && !location.startsWith(server.url)) return false
        return endpoint === 'userinfo' ? response.status === 401 : isProper(response)
      },
    ),
    { numRuns },
  )
  t.pass()
})

const json = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom({ alg: 'ES256', kid: {} }, { alg: ['ES256'] }, { sub: 'client-1', iss: ['client-1'] }),
)
test('whatever stands where a JWT should, it is refused as what it should have been', async (t) => {
  const { access_token } = await client.tokens()
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = fc.oneof(
    fc
      .tuple(json, json, fc.base64String())
      .map(([header, claims, signature]) => `${part(header)}.${part(claims)}.${signature}`),
    fc.tuple(fc.object(), fc.object()).map(([header, claims]) => jwt(client.proofKey, header, claims)),
    fc.string({ unit: 'grapheme-ascii', maxLength: 80 }).filter((value) => value.trim() === value && value !== ''),
    fc.nat(access_token.length - 1).map((at) => `${access_token.slice(0, at)}~${access_token.slice(at + 1)}`),
  )
  await fc.assert(
    fc.asyncProperty(token, async (made) => {
      const asAssertion = await client.push({}, { assertion: made, proof: false })
      const asProof = await client.push({}, { proof: made, retry: false })
      const asAccessToken = await fetch(`${server.url}/connect/userinfo`, {
        headers: { authorization: `DPoP ${made}`, dpop: client.proof('GET', `${server.url}/connect/userinfo`) },
      })
      const asToken = await client.post('introspect', { token: made })
      return (
        // After some hundred failures of one address there is no room for more.
        (asAssertion.body.error === 'invalid_client' || asAssertion.status === 429) &&
        asProof.body.error === 'invalid_dpop_proof' &&
        [400, 401, 429].includes(asAccessToken.status) &&
        asToken.body.active === false
      )
    }),
    { numRuns },
  )
  t.pass()
})

test('whatever cookies and headers come along, pages are pages', async (t) => {
  const pushed = client.authorizationUrl(await client.push())
  const header = fc.string({ unit: 'grapheme-ascii', maxLength: 200 }).map((value) => value.trim())
  await fc.assert(
    fc.asyncProperty(header, header, fc.array(header, { maxLength: 5 }), async (language, proof, cookies) => {
      const response = await fetch(pushed, {
        headers: { 'accept-language': language, dpop: proof, cookie: cookies.join('; '), 'x-forwarded-for': proof },
      })
      return response.status === 200 && (await response.text()).includes('id="sign-in"')
    }),
    { numRuns },
  )
  t.pass()
})

/** Sends bytes as they are, and half of what they promise. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.end(bytes)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

test('a body that breaks off, a strange target and a strange method do no harm', async (t) => {
  const head = 'Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'
  await raw(`POST /connect/par HTTP/1.1\r\n${head}Content-Length: 100\r\n\r\nscope=`)
  for (const target of [
    '/%E0%A4%A',
    '//connect/par',
    '/connect/par/',
    'http://evil.example/connect/jwks',
    '/connect/%70ar',
    '/connect/PAR',
  ])
    t.notRegex(await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), /^HTTP\/1.1 5/, target)
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE'])
    for (const endpoint of [...forms, 'authorize', 'userinfo', 'endsession', 'jwks'])
      t.notRegex(
        await raw(`${method} /connect/${endpoint} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1.1 5/,
      )
  t.is((await client.push()).status, 201, 'and the server is alive')
})
