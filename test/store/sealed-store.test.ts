import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { createSealedStore } from '../../src/store/sealed-store.js'

interface Tokens {
  readonly accessToken: string
}

const later = (): number => Date.now() / 1000 + 60
const aSecret = (): string => randomBytes(32).toString('base64url')
const tokens: Tokens = { accessToken: 'eyJhbGciOiJFUzI1NiJ9.e30.x' }

function aSealedStore() {
  const store = createMemoryStore()
  const seal = createSeal([randomBytes(32)])
  return { store, seal, records: createSealedStore<Tokens>(store, seal, 'session') }
}

test('gives a record back to the bearer of its secret only', async (t) => {
  const { records } = aSealedStore()
  const secret = aSecret()
  await records.add(secret, tokens, later())
  t.deepEqual((await records.get(secret))?.value, tokens)
  t.is(await records.get(aSecret()), undefined)
})

test('keeps neither the secret nor the record in the store', async (t) => {
  const { store, records } = aSealedStore()
  const secret = aSecret()
  await records.add(secret, tokens, later())
  const kept = await store.get(records.keyOf(secret))
  t.false(records.keyOf(secret).includes(secret))
  t.false(kept?.includes('eyJhbGci'))
  t.false(Buffer.from(kept?.split('.')[2] ?? '', 'base64url').includes('accessToken'))
})

test('a record moved under another key does not open', async (t) => {
  const { store, records } = aSealedStore()
  const [mine, yours] = [aSecret(), aSecret()]
  await records.add(mine, tokens, later())
  await store.set(records.keyOf(yours), (await store.get(records.keyOf(mine))) ?? '', later())
  t.is(await records.get(yours), undefined)
})

test('a record of another purpose does not open', async (t) => {
  const { store, seal, records } = aSealedStore()
  const secret = aSecret()
  await createSealedStore<Tokens>(store, seal, 'code').add(secret, tokens, later())
  t.is(await records.get(secret), undefined)
})

test('of two writers who read the same revision one wins', async (t) => {
  const { records } = aSealedStore()
  const secret = aSecret()
  await records.add(secret, tokens, later())
  const revision = (await records.get(secret))?.revision ?? ''
  t.truthy(await records.replace(secret, revision, { accessToken: 'first' }, later()))
  t.is(await records.replace(secret, revision, { accessToken: 'second' }, later()), undefined)
  t.is((await records.get(secret))?.value.accessToken, 'first')
})

test('a dead record cannot be written back', async (t) => {
  const { records } = aSealedStore()
  const secret = aSecret()
  await records.add(secret, tokens, later())
  const revision = (await records.get(secret))?.revision ?? ''
  t.true(await records.delete(secret))
  t.is(await records.replace(secret, revision, tokens, later()), undefined)
  t.is(await records.get(secret), undefined)
})

test('a record is taken by one of many', async (t) => {
  const { records } = aSealedStore()
  const secret = aSecret()
  await records.add(secret, tokens, later())
  const taken = await Promise.all(Array.from({ length: 50 }, () => records.take(secret)))
  t.is(taken.filter((record) => record !== undefined).length, 1)
})
