import { scryptSync } from 'node:crypto'
import test from 'ava'
import {
  hashPassword,
  isPasswordHash,
  unmatchable,
  verifyPassword,
} from '../../../src/authorization-server/sign-in/password.js'

const cheap = { ln: 4, p: 1 }

test('a password fits its own hash only', async (t) => {
  const hash = await hashPassword('wonderland', cheap)
  t.regex(hash, /^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.true(await verifyPassword('wonderland', hash))
  t.false(await verifyPassword('Wonderland', hash))
  t.not(await hashPassword('wonderland', cheap), hash)
})

test('the same characters fit, however they were typed', async (t) => {
  t.true(await verifyPassword('caf\u0065\u0301', await hashPassword('caf\u00e9', cheap)))
})

test('the default costs 32 MiB', async (t) => {
  t.regex(await hashPassword('x'), /^\$scrypt\$ln=15,r=8,p=3\$/)
})

test('is scrypt as others compute it (RFC 7914 §12)', async (t) => {
  const hash = await hashPassword('pleaseletmein', { ln: 14, r: 8, p: 1 })
  const [, , , salt = '', derived = ''] = hash.split('$')
  const other = scryptSync('pleaseletmein', Buffer.from(salt, 'base64'), 32, { N: 16_384, r: 8, p: 1 })
  t.is(Buffer.from(derived, 'base64').toString('hex'), other.toString('hex'))
})

test('nothing fits an unmatchable hash, which costs the same', async (t) => {
  const hash = unmatchable(await hashPassword('x', cheap))
  t.regex(hash, /ln=4,r=8,p=1/)
  t.false(await verifyPassword('x', hash))
  t.false(await verifyPassword('', hash))
})

test('recognises what is no hash', (t) => {
  for (const text of [
    '',
    'wonderland',
    '$2b$10$abc',
    '$scrypt$ln=99,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$scrypt$ln=20,r=32,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$scrypt$ln=0,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])
    t.false(isPasswordHash(text))
})
