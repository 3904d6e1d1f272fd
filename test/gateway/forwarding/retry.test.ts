import test from 'ava'
import { createAuthorize, createNonceMemory } from '../../../src/gateway/forwarding/dpop.js'
import { noBody, type RequestBody } from '../../../src/gateway/forwarding/request-body.js'
import { type Next, nextAfter, sendUntilAnswered, type Tried } from '../../../src/gateway/forwarding/retry.js'
import { timeoutRefusal, timeoutsOf } from '../../../src/gateway/forwarding/timeouts.js'
import { failureOf, type Send, type TransportResult } from '../../../src/gateway/forwarding/transport.js'
import { createConnections } from '../../../src/gateway/forwarding/upstream.js'
import { provisionRoute } from '../../../src/gateway/provision.js'
import { Refusal } from '../../../src/gateway/refusal.js'
import type { ProxiedRequest } from '../../../src/gateway/request.js'
import { aRoute, dpopCredentials, ofNoFrontend } from '../_forwarding.js'

const reset = (syscall: 'read' | 'connect') => Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall })
/** What a kept connection says that died before its request was written, and while its answer was awaited. */
const unsent = failureOf(reset('read'), 'none')
const sent = failureOf(reset('read'), 'kept')
const refused = failureOf(reset('connect'), 'none')
const answerOf = (status: number, challenge?: string): TransportResult => ({
  kind: 'answered',
  response: {
    status,
    headers: challenge === undefined ? {} : { 'www-authenticate': challenge },
    rawHeaders: [],
    sendTo() {},
    resume() {},
    skip() {},
  },
})
const answered = answerOf(200)
const aBody: RequestBody = { ...noBody, isEmpty: false, length: 5 }

async function attemptsOf(
  method: string,
  body: RequestBody,
  results: readonly TransportResult[],
): Promise<number | string> {
  const connections = createConnections()
  const options = aRoute({ upstreams: [new URL('http://127.0.0.1:1')], retries: 0 })
  const call: Pick<
    ProxiedRequest,
    'route' | 'upstreamTarget' | 'credentials' | 'client' | 'open' | 'current' | 'times'
  > = {
    route: provisionRoute(options, connections, ofNoFrontend(options)),
    upstreamTarget: '/api',
    credentials: { kind: 'none' },
    client: { address: '192.0.2.7', host: 'shop.example' },
    open: undefined,
    current: undefined,
    times: { started: 0, forwarded: 0, answered: 0, bytesBefore: 0 },
  }
  const request = { ...call, request: { method }, connection: { destroyed: false } } as unknown as ProxiedRequest
  let count = 0
  const send: Send = async () => results[count++] ?? answered
  const proofs = { authorize: createAuthorize(), nonces: createNonceMemory() }
  try {
    await sendUntilAnswered(request, { headers: {}, body, send }, proofs)
    return count
  } catch (error) {
    return `${(error as { code: string }).code} after ${count}`
  } finally {
    connections.close()
  }
}

test('a POST that waited on a connection that died is sent on another, twice at most', async (t) => {
  t.is(await attemptsOf('POST', aBody, [unsent]), 2)
  t.is(await attemptsOf('POST', aBody, [unsent, unsent]), 3)
  t.is(await attemptsOf('POST', aBody, [unsent, unsent, unsent]), 'bff.upstream.unreachable after 3')
})

test('a POST that may have arrived is never sent again (RFC 9112 §9.3.1)', async (t) => {
  t.is(await attemptsOf('POST', aBody, [sent]), 'bff.upstream.broke_off after 1')
  t.is(await attemptsOf('POST', aBody, [unsent, sent]), 'bff.upstream.broke_off after 2')
})

test('a body of which something was let go is not sent again', async (t) => {
  t.is(await attemptsOf('POST', { ...aBody, isReplayable: () => false }, [unsent]), 'bff.upstream.unreachable after 1')
})

test('a GET on a kept connection that had died is sent on another, twice at most', async (t) => {
  t.is(await attemptsOf('GET', noBody, [sent, sent]), 3)
  t.is(await attemptsOf('GET', noBody, [sent, sent, sent]), 'bff.upstream.broke_off after 3')
})

test('an upstream that refuses connections is not asked again without leave', async (t) => {
  t.is(await attemptsOf('GET', noBody, [refused]), 'bff.upstream.unreachable after 1')
})

test('a call is not sent again for a user who may not in any more by what the refresh has told', async (t) => {
  const connections = createConnections()
  t.teardown(() => connections.close())
  const denied = new Refusal('bff.access.denied', 'not staff any more')
  const mayIn = () => {
    throw denied
  }
  const options = aRoute({ upstreams: [new URL('http://127.0.0.1:1')] })
  const route = { ...provisionRoute(options, connections, ofNoFrontend(options)), mayIn }
  const credentials = dpopCredentials()
  const call = {
    route,
    upstreamTarget: '/api',
    credentials,
    client: { address: '192.0.2.7', host: 'shop.example' },
    open: undefined,
    current: undefined,
    times: { started: 0, forwarded: 0, answered: 0, bytesBefore: 0 },
    request: { method: 'POST' },
    connection: { destroyed: false },
    frontend: { tokens: { insteadOf: async () => ({ credentials, refreshed: { session: {} } }) } },
  } as unknown as ProxiedRequest
  let sent = 0
  const send: Send = async () => {
    sent++
    return answerOf(401, 'DPoP error="invalid_token"')
  }
  const proofs = { authorize: createAuthorize(), nonces: createNonceMemory() }
  t.is(await t.throwsAsync(sendUntilAnswered(call, { headers: {}, body: aBody, send }, proofs)), denied)
  t.is(sent, 1)
})

/** How an attempt ended, what it was, and what follows. Unless said otherwise: a GET with a proof, with everything left. */
const table: readonly (readonly [string, TransportResult, Partial<Tried>, Next])[] = [
  ['an answer', answered, {}, 'done'],
  ['an answer that says that it is down', answerOf(503), {}, 'done'],
  ['a refused token', answerOf(401, 'DPoP algs="ES256", error="invalid_token"'), {}, 'with another token'],
  [
    'a refused token without a key',
    answerOf(401, 'Bearer error="invalid_token"'),
    { credentials: 'bearer' },
    'with another token',
  ],
  [
    'a second refused token',
    answerOf(401, 'DPoP error="invalid_token"'),
    { left: { retries: 1, connections: 2, replays: 1, tokens: 0 } },
    'done',
  ],
  [
    'a refused token, and a body that is gone',
    answerOf(401, 'DPoP error="invalid_token"'),
    { body: { isEmpty: false, isReplayable: () => false } },
    'done',
  ],
  [
    'a refused token where none was sent',
    answerOf(401, 'Bearer error="invalid_token"'),
    { credentials: 'none' },
    'done',
  ],
  ['a token that is refused with another status', answerOf(403, 'DPoP error="invalid_token"'), {}, 'done'],
  ['a 401 for another reason', answerOf(401, 'DPoP error="insufficient_user_authentication"'), {}, 'done'],
  ['a 401 that says nothing', answerOf(401), {}, 'done'],
  ['an open socket', { kind: 'upgraded' }, {}, 'done'],
  ['a demand for a nonce, and one', answerOf(401, 'DPoP error="use_dpop_nonce"'), { brought: 'n' }, 'with its nonce'],
  ['a demand for a nonce, and none', answerOf(401, 'DPoP error="use_dpop_nonce"'), {}, 'refuse'],
  [
    'a second demand for a nonce',
    answerOf(401, 'DPoP error="use_dpop_nonce"'),
    { brought: 'n', left: { retries: 1, connections: 2, replays: 0, tokens: 1 } },
    'refuse',
  ],
  [
    'a demand for a nonce, and a body that is gone',
    answerOf(401, 'DPoP error="use_dpop_nonce"'),
    { brought: 'n', body: { isEmpty: false, isReplayable: () => false } },
    'refuse',
  ],
  [
    'a demand for a nonce where no proof was sent',
    answerOf(401, 'DPoP error="use_dpop_nonce"'),
    { brought: 'n', credentials: 'bearer' },
    'done',
  ],
  ['no connection', refused, {}, 'another upstream'],
  ['no connection for a POST', refused, { method: 'POST' }, 'refuse'],
  [
    'no connection, and no try left',
    refused,
    { left: { retries: 0, connections: 2, replays: 1, tokens: 1 } },
    'refuse',
  ],
  ['a kept connection that died before', unsent, { method: 'POST' }, 'fresh connection'],
  ['a kept connection that died with a GET', sent, {}, 'fresh connection'],
  ['a kept connection that died with a POST', sent, { method: 'POST', body: aBody }, 'refuse'],
  [
    'a kept connection that died before, for the third time',
    unsent,
    { left: { retries: 1, connections: 0, replays: 1, tokens: 1 } },
    'another upstream',
  ],
  ['an answer that broke off', failureOf(reset('read'), 'new'), {}, 'refuse'],
  [
    'no time left for the whole call',
    { kind: 'unreached', refusal: timeoutRefusal('total', timeoutsOf({ total: 1 })) },
    {},
    'refuse',
  ],
  [
    'no connection in its time',
    { kind: 'unreached', refusal: timeoutRefusal('connect', timeoutsOf()) },
    {},
    'another upstream',
  ],
]
for (const [ending, result, tried, next] of table) {
  test(`after ${ending}: ${next}`, (t) => {
    const left = { retries: 1, connections: 2, replays: 1, tokens: 1 }
    t.is(
      nextAfter(result, { method: 'GET', body: noBody, credentials: 'dpop', brought: undefined, left, ...tried }),
      next,
    )
  })
}
