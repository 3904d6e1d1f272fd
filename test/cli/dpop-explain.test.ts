import test from 'ava'
import { explainProof } from '../../src/cli/dpop-explain.js'
import { createProver, generateProofKey } from '../../src/dpop/prover.js'

const now = () => 1_800_000_000
const url = 'https://orders.example.com/api/orders'
const prover = createProver(generateProofKey(), now)

function aToken(jkt: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256', typ: 'at+jwt' })}.${part({ sub: 'alice', cnf: { jkt } })}.c2lnbmF0dXJl`
}

function explained(text: string, method = 'GET', at = url, clock = now) {
  let output = ''
  const write = (piece: string): void => {
    output += piece
  }
  const isGood = explainProof({ method, url: at, text, output: { write }, now: clock })
  return { isGood, output }
}

const token = aToken(prover.thumbprint)
const proof = prover.prove({ method: 'GET', url: new URL(url), accessToken: token })
const headers = `GET /api/orders HTTP/1.1\r\nDPoP: ${proof}\r\nAuthorization: DPoP ${token}\r\n`

test('a good proof is good', (t) => {
  const { isGood, output } = explained(headers)
  t.true(isGood, output)
  t.regex(output, /^ok {4}cnf\.jkt {2}the thumbprint of the proof's key$/m)
  t.regex(output, /^ok {4}verdict {2}good/m)
})

test('a proof alone is enough', (t) => {
  const alone = prover.prove({ method: 'GET', url: new URL(url) })
  t.true(explained(alone).isGood)
  t.throws(() => explained(alone, 'GET', '/api/orders'), { message: /is not an http or https URL/ })
  t.throws(() => explained('nothing of the kind'), { message: /Paste the line/ })
})

test('says what was expected and what came', (t) => {
  const other = explained(headers, 'POST', 'http://orders:8080/api/orders')
  t.false(other.isGood)
  t.regex(other.output, /^error htm +GET, but this request is POST$/m)
  t.regex(
    other.output,
    /^error htu +https:\/\/orders\.example\.com\/api\/orders, but this request is http:\/\/orders:8080/m,
  )
  t.regex(other.output, /^error verdict +the proof's/m)
  t.regex(explained(headers, 'GET', url, () => now() + 300).output, /^error iat +300 seconds ago$/m)
  t.regex(explained(headers, 'GET', url, () => now() - 300).output, /^error iat +300 seconds in the future$/m)
})

test('says that the access token is another one, or another key’s', (t) => {
  const another = headers.replace(token, aToken('another-key'))
  t.regex(explained(another).output, /^error ath +not the hash of this access token$/m)
  t.regex(explained(another).output, /^error cnf\.jkt +another-key: the access token is bound to another key$/m)
})

test('prints no token, no proof and no control character', (t) => {
  const { output } = explained(headers)
  for (const secret of [token, proof, ...token.split('.'), ...proof.split('.')]) t.false(output.includes(secret))
  const [head, , signature] = proof.split('.')
  const hostile = Buffer.from(JSON.stringify({ htm: '\u001b[31mGET', htu: 'x', iat: 'y', jti: 1 })).toString(
    'base64url',
  )
  t.false(explained(`DPoP: ${head}.${hostile}.${signature}`).output.includes('\u001b'))
})
