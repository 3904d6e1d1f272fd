import test from 'ava'
import { endsAt } from '../../../src/gateway/session/session-lifetime.js'
import type { SessionRecord } from '../../../src/gateway/session/session-record.js'

const lifetimes = { idle: 600, absolute: 3600, sliding: true }
const fixed = { ...lifetimes, sliding: false }
const record: SessionRecord = { createdAt: 1000, claims: {}, refreshToken: 'r', accessTokens: { '': { value: 'a' } } }
const token = (expiresAt?: number) => ({
  accessTokens: { '': { value: 'a', ...(expiresAt !== undefined && { expiresAt }) } },
})
const { refreshToken: _, ...withoutRefreshToken } = record

const ends = test.macro({
  title: (title) => `a session ends ${title}`,
  exec(t, end: number, of: SessionRecord, by?: typeof lifetimes) {
    t.is(endsAt(of, by ?? lifetimes), end)
  },
})

test('at its absolute limit', ends, 4600, record)
test('at its idle limit when that does not slide', ends, 1600, record, fixed)
test('at the absolute limit when that comes before a fixed idle one', ends, 1300, record, { ...fixed, absolute: 300 })
test("at the server's session_expiry when that comes first", ends, 2000, { ...record, sessionExpiry: 2000 })
test('at its absolute limit when session_expiry comes later', ends, 4600, { ...record, sessionExpiry: 9000 })
test('with its refresh token', ends, 3000, { ...record, refreshTokenExpiresAt: 3000 })
test('no earlier for an access token that can be refreshed', ends, 4600, { ...record, ...token(1300) })
test('with its only token', ends, 1300, { ...withoutRefreshToken, ...token(1300) })
test('at its absolute limit when the server does not say how long its only token lives', ends, 4600, {
  ...withoutRefreshToken,
  ...token(),
})
test('no earlier for the token of another audience', ends, 4600, {
  ...withoutRefreshToken,
  accessTokens: { '': { value: 'a' }, orders: { value: 'b', expiresAt: 1300 } },
})
test('at the first of all limits', ends, 1200, {
  ...withoutRefreshToken,
  ...token(1300),
  sessionExpiry: 1200,
  refreshTokenExpiresAt: 1250,
})
