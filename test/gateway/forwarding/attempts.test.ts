import test from 'ava'
import { type Answer, type Forwarding, failureOf, type Send } from '../../../src/gateway/forwarding/attempt.js'
import { attemptUntilAnswered } from '../../../src/gateway/forwarding/attempts.js'
import { createAuthorize } from '../../../src/gateway/forwarding/authorization.js'
import { createNonceMemory } from '../../../src/gateway/forwarding/nonce-memory.js'
import { noBody, type RequestBody } from '../../../src/gateway/forwarding/request-body.js'
import { timeoutsOf } from '../../../src/gateway/forwarding/timeouts.js'
import { createConnections, createUpstreamPool } from '../../../src/gateway/forwarding/upstream.js'
import { aRoute } from '../_forwarding.js'

const reset = (syscall: 'read' | 'connect') => Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall })
/** What a kept connection says that died before its request was written, and while its answer was awaited. */
const unsent = failureOf(reset('read'), 'none')
const sent = failureOf(reset('read'), 'kept')
const refused = failureOf(reset('connect'), 'none')
const answered: Answer = {
  kind: 'answered',
  response: { status: 200, headers: {}, rawHeaders: [], sendTo() {}, resume() {}, skip() {} },
}
const aBody: RequestBody = { ...noBody, isEmpty: false, length: 5 }

async function attemptsOf(method: string, body: RequestBody, answers: readonly Answer[]): Promise<number | string> {
  const route = aRoute({ upstreams: [new URL('http://127.0.0.1:1')], retries: 0 })
  const connections = createConnections()
  const plan = {
    route,
    pool: createUpstreamPool(route, connections),
    visitor: '192.0.2.7',
    upstreamTarget: '/api',
    method,
    headers: {},
    body,
    credentials: { kind: 'none' } as const,
  }
  const forwarding: Pick<Forwarding, 'timeouts' | 'caller' | 'isGone' | 'current'> = {
    timeouts: timeoutsOf(),
    caller: '192.0.2.7',
    isGone: () => false,
    current: undefined,
  }
  let count = 0
  const send: Send = async () => answers[count++] ?? answered
  const parts = { send, authorize: createAuthorize(), nonces: createNonceMemory() }
  try {
    await attemptUntilAnswered(forwarding as Forwarding, plan, parts)
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
