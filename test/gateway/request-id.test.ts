import test from 'ava'
import { aGate, everyWay, publicOrigin } from '../attacks/_gate.js'
import { call } from './_client.js'

const own = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const host = new URL(publicOrigin).host

test('a proxy of ours names the request: it goes up, comes back, and is in the refusals', async (t) => {
  const gate = await aGate(t, {
    gateway: { trustedProxies: ['127.0.0.0/8'] },
    frontends: [{ routes: [{ tokenType: 'None' }] }],
  })
  const headers = { Host: host, 'X-CSRF': '1', 'X-Request-Id': 'edge-7/42' }
  const answer = await call(gate.url, '/api/orders', { headers })
  t.is(answer.headers['x-request-id'], 'edge-7/42')
  t.is(gate.upstream.seen.at(-1)?.headers['x-request-id'], 'edge-7/42')
  t.regex(String(gate.upstream.seen.at(-1)?.headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  const refused = await call(gate.url, '/nowhere', { headers })
  t.is(refused.headers['x-request-id'], 'edge-7/42')
  for (const odd of ['', 'a b', 'ä', '"quoted"', 'x'.repeat(129), 'a,b']) {
    const { headers: back } = await call(gate.url, '/api/orders', { headers: { ...headers, 'X-Request-Id': odd } })
    t.regex(String(back['x-request-id']), own, odd)
  }
})

test('a trace that begins with the request has its id and never zeros, whatever a proxy of ours calls it', async (t) => {
  const gate = await aGate(t, {
    gateway: { trustedProxies: ['127.0.0.0/8'] },
    frontends: [{ routes: [{ tokenType: 'None' }] }],
  })
  const traceOf = async (id: string): Promise<string> => {
    await call(gate.url, '/api/orders', { headers: { Host: host, 'X-CSRF': '1', 'X-Request-Id': id } })
    return String(gate.upstream.seen.at(-1)?.headers.traceparent)
  }
  t.regex(
    await traceOf('0a1b2c3d-4e5f-4a6b-8c7d-0e1f2a3b4c5d'),
    /^00-0a1b2c3d4e5f4a6b8c7d0e1f2a3b4c5d-[0-9a-f]{16}-00$/,
  )
  for (const odd of ['00000000-0000-0000-0000-000000000000', '0a1b2c3d-4e5f-4a6b-0000-000000000000', 'edge-7/42'])
    t.regex(await traceOf(odd), /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/, odd)
})

test('a stranger does not, and an upstream does not rename it', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [{ tokenType: 'None' }] }] })
  await everyWay(gate, { headers: ['X-Request-Id: mine'] }, ({ answer, seen, way }) => {
    t.false(answer.includes('mine'), way)
    t.regex(String(seen[0]?.headers['x-request-id']), own, way)
    if (way !== 'an upgrade') t.true(answer.includes(`X-Request-Id: ${seen[0]?.headers['x-request-id']}`), way)
  })
})
