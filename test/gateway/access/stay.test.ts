import test from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import { guardOf } from '../../../src/gateway/access/stay.js'
import { Refusal } from '../../../src/gateway/refusal.js'
import type { ProvisionedFrontend } from '../../../src/gateway/request.js'
import type { Session } from '../../../src/gateway/session/session-record.js'

const session: Session = {
  key: 'key',
  handle: 'handle',
  endsAt: 10_000,
  record: { createdAt: 0, claims: {}, accessTokens: { '': { value: 'token', expiresAt: 300 } } },
  revision: '',
  prover: undefined,
}

const asked = (time: number, found: Session | undefined, current: () => Promise<never>) => {
  const frontend = { now: () => time, sessions: { open: async () => found }, tokens: { current } }
  return guardOf(frontend as unknown as ProvisionedFrontend, { id: 'id', session }, () => undefined).current()
}
const down = () => Promise.reject(new UpstreamError('unreachable', 'down'))

test('while the authorization server is down, a stream stays for ten minutes after the token, and no longer', async (t) => {
  t.is(await asked(899, session, down), session)
  await t.throwsAsync(asked(900, session, down), { instanceOf: UpstreamError })
})

test('a refusal is no outage', async (t) => {
  const refused = () => Promise.reject(new Refusal('bff.token.refused', 'no token'))
  await t.throwsAsync(asked(1, session, refused), { instanceOf: Refusal })
})

test('a session that has ended is not kept by what it has open', async (t) => {
  t.is(await asked(1, undefined, down), undefined)
})
