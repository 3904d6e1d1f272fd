import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createSeal } from '../../src/store/seal.js'

const key = randomBytes(32)
const secret = randomBytes(32).toString('base64url')

test('opens what it sealed, for the same secret in the same context', (t) => {
  const seal = createSeal([key])
  const sealed = seal.seal('tokens', secret, 'session:a')
  t.is(seal.unseal(sealed, secret, 'session:a'), 'tokens')
})

test('opens nothing with the server key alone, or for another secret', (t) => {
  const seal = createSeal([key])
  const sealed = seal.seal('tokens', secret, 'session:a')
  t.is(seal.unseal(sealed, '', 'session:a'), undefined)
  t.is(seal.unseal(sealed, randomBytes(32).toString('base64url'), 'session:a'), undefined)
})

test('opens nothing with the secret alone: another server key does not do', (t) => {
  const sealed = createSeal([key]).seal('tokens', secret, 'session:a')
  t.is(createSeal([randomBytes(32)]).unseal(sealed, secret, 'session:a'), undefined)
})

test('opens nothing in another context', (t) => {
  const seal = createSeal([key])
  t.is(seal.unseal(seal.seal('tokens', secret, 'session:a'), secret, 'session:b'), undefined)
})

test('opens no seal in which any one bit was changed', (t) => {
  const seal = createSeal([key])
  const sealed = seal.seal('tokens', secret, 'session:a')
  const [version = '', id = '', body = ''] = sealed.split('.')
  const bytes = Buffer.from(body, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.is(seal.unseal(`${version}.${id}.${changed.toString('base64url')}`, secret, 'session:a'), undefined)
  }
})

for (const text of ['', '.', '..', '1..', '1.x.y', '2.x.y.z', 'a'.repeat(100_000)]) {
  test(`takes ${JSON.stringify(text.slice(0, 10))} (${text.length} characters) for no seal at all`, (t) => {
    t.is(createSeal([key]).unseal(text, secret, 'session:a'), undefined)
  })
}

test('opens what an older key of the ring sealed, and seals with the first', (t) => {
  const older = randomBytes(32)
  const sealedBefore = createSeal([older]).seal('tokens', secret, 'session:a')
  const rotated = createSeal([key, older])
  t.is(rotated.unseal(sealedBefore, secret, 'session:a'), 'tokens')
  t.is(createSeal([key]).unseal(rotated.seal('tokens', secret, 'session:a'), secret, 'session:a'), 'tokens')
  t.is(createSeal([key]).unseal(sealedBefore, secret, 'session:a'), undefined)
})

test('never uses an initialisation vector twice in 10,000 seals', (t) => {
  const seal = createSeal([key])
  const vectors = new Set<string>()
  for (let i = 0; i < 10_000; i++) {
    const body = seal.seal('x', secret, 'session:a').split('.')[2] ?? ''
    vectors.add(Buffer.from(body, 'base64url').subarray(0, 12).toString('hex'))
  }
  t.is(vectors.size, 10_000)
})

test('is not made without a key, or with one that is not 32 bytes long', (t) => {
  t.throws(() => createSeal([]), { instanceOf: TypeError })
  t.throws(() => createSeal([randomBytes(16)]), { instanceOf: TypeError, message: /32 bytes/ })
})
