import test from 'ava'
import { explainPasted } from '../../src/cli/dpop-explain.js'
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
  const isGood = explainPasted({ method, url: at, text, output: { write }, now: clock })
  return { isGood, output }
}

const token = aToken(prover.thumbprint)
const proof = prover.prove({ method: 'GET', url: new URL(url), accessToken: token })
const headers = `GET /api/orders HTTP/1.1\r\nDPoP: ${proof}\r\nAuthorization: DPoP ${token}\r\n`

test('a good proof is good', (t) => {
  const { isGood, output } = explained(headers)
  t.true(isGood, output)
  t.regex(output, /^ok {4}the token's cnf\.jkt +[\w-]{43}$/m)
  t.regex(output, /^ok {4}verdict +good/m)
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
  t.regex(other.output, /^error htm +GET; expected POST$/m)
  t.regex(other.output, /^error htu +https:\/\/orders\.example\.com\/api\/orders; expected http:\/\/orders:8080/m)
  t.regex(other.output, /^error verdict +refused: htm, htu$/m)
  t.regex(explained(headers, 'GET', url, () => now() + 300).output, /^error iat +300 s old; expected -10 to 60 s old$/m)
  t.regex(
    explained(headers, 'GET', url, () => now() - 300).output,
    /^error iat +-300 s old; expected -10 to 60 s old$/m,
  )
})

test('says that the access token is another one, or another key’s', (t) => {
  const another = headers.replace(token, aToken('another-key'))
  t.regex(explained(another).output, /^error ath +[\w-]{43}; expected [\w-]{43}$/m)
  t.regex(
    explained(another).output,
    /^error the token's cnf\.jkt +another-key; expected [\w-]{43}, the thumbprint of the proof's key$/m,
  )
})

test('a token that is bound to no key is an error, and so is one that is sent as Bearer', (t) => {
  const free = explained(
    `DPoP: ${prover.prove({ method: 'GET', url: new URL(url), accessToken: 'opaque' })}\nAuthorization: DPoP opaque\n`,
  )
  t.false(free.isGood)
  t.regex(
    free.output,
    /^error the token's cnf\.jkt +none: the access token is bound to no key, or is no JWT; expected/m,
  )
  t.regex(free.output, /^error verdict +refused: the token's cnf\.jkt$/m)
  t.regex(
    explained(headers.replace('Authorization: DPoP', 'authorization: Bearer')).output,
    /^error authorization scheme +Bearer; expected DPoP$/m,
  )
})

test('takes the lines that curl prints with -v', (t) => {
  const { isGood, output } = explained(headers.replace(/^(?=\S)/gm, '> '))
  t.true(isGood, output)
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
