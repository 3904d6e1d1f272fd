import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { startStack } from '../flows/_stack.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { aCollector, type CollectedSpan } from './_collector.js'

const attributeOf = ({ attributes }: CollectedSpan, name: string): unknown => {
  const value = attributes.find(({ key }) => key === name)?.value ?? {}
  return Object.values(value)[0]
}

test('a login and a call are traces: session, proof, attempt and what the authorization server was asked, with no secret in them', async (t) => {
  const collector = await aCollector(t)
  const stack = await startStack({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_SERVICE_NAME: 'shop',
      Server__LogLevel: 'debug',
    },
  })
  const browser = createUserAgent()
  const signIn = await browser.navigate(new URL('/bff/login', stack.gateway))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  const foreign = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  t.is(
    (
      await browser.call(new URL('/api/orders?q=4111-1111-1111-1111', stack.gateway), {
        headers: { traceparent: foreign },
      })
    ).status,
    200,
  )
  t.is((await fetch(new URL('/api/orders', stack.api), { method: 'HEAD' })).status, 401)
  // What was not sent by then is sent when it ends.
  await stack.stop()

  const spans = collector.spans()
  const call = spans.find(({ name }) => name === 'GET /api')
  if (call === undefined) return t.fail(`no span of the call: ${spans.map(({ name }) => name).join(', ')}`)
  t.is(call.parentSpanId ?? '', '')
  t.deepEqual(
    call.links?.map(({ traceId }) => traceId),
    ['4bf92f3577b34da6a3ce929d0e0e4736'],
  )
  t.is(attributeOf(call, 'sallyport.frontend'), 'app')
  t.is(Number(attributeOf(call, 'http.response.status_code')), 200)
  t.is(attributeOf(call, 'url.path'), '/api/orders')
  const parts = spans.filter(({ parentSpanId }) => parentSpanId === call.spanId).map(({ name }) => name)
  for (const part of ['session', 'access token', 'proof', 'upstream']) t.true(parts.includes(part), part)

  // The API is served by the same program: its span is in the one of the attempt.
  const attempt = spans.find(({ name, traceId }) => name === 'upstream' && traceId === call.traceId)
  const links = spans.flatMap(({ links = [] }) => links.map(({ traceId }) => traceId))
  t.true(links.includes(attempt?.traceId ?? ''))

  const issuer = spans.filter(({ name }) => name === 'issuer').map((span) => String(attributeOf(span, 'url.full')))
  for (const endpoint of ['/connect/par', '/connect/token'])
    t.true(
      issuer.some((url) => url.endsWith(endpoint)),
      endpoint,
    )

  const lines = stack.output().split('\n')
  const lineOf = (event: string) => JSON.parse(lines.find((text) => text.includes(`"${event}"`)) ?? '{}')
  t.is(lineOf('gateway.request.forwarded').trace, call.traceId)
  t.is(lineOf('gateway.request.forwarded').requestId, attributeOf(call, 'sallyport.request_id'))
  // The API is another listener: its trace is linked with the one of the attempt.
  const traceOfApi = spans.find(({ links = [] }) => links.some(({ traceId }) => traceId === call.traceId))?.traceId
  t.is(lineOf('validator.request.accepted').trace, traceOfApi)
  t.is(lineOf('validator.request.refused').trace, spans.find(({ name }) => name === 'HEAD')?.traceId)

  const text = collector.text()
  t.true(text.includes('"shop"'))
  for (const secret of [
    '4111-1111',
    'wonderland',
    'eyJ',
    'code=',
    'state=',
    'urn:ietf:params:oauth:request_uri',
    '__Host-',
  ])
    t.false(text.includes(secret), secret)
})

test('a trusted proxy says which trace a request belongs to, and the sampler how many there are', async (t) => {
  const collector = await aCollector(t)
  const stack = await startStack({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER: 'parentbased_always_off' },
    configure(configuration) {
      configuration.Server.TrustedProxies = ['127.0.0.1/32']
      configuration.Bff.Frontends[0].Routes[0].TokenType = 'None'
    },
  })
  const browser = createUserAgent()
  const sampled = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await browser.call(new URL('/api/orders', stack.gateway), { headers: { traceparent: sampled } })
  await browser.call(new URL('/api/orders', stack.gateway))
  await stack.stop()
  const calls = collector.spans().filter(({ name }) => name === 'GET /api')
  t.is(calls.length, 1)
  t.like(calls[0], { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7' })
})

test('a trace that is not sampled has an id all the same: in the log, at the authorization server and at the API', async (t) => {
  const received: string[] = []
  const states: unknown[] = []
  const api = createServer((request, response) => {
    received.push(String(request.headers.traceparent))
    states.push(request.headers.tracestate)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.teardown(() => api.close())
  const stack = await startStack({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_SAMPLER: 'always_off' },
    configure(configuration) {
      configuration.Server.LogLevel = 'debug'
      configuration.Bff.Frontends[0].Routes[0].Upstreams = [`http://127.0.0.1:${(api.address() as AddressInfo).port}`]
    },
  })
  const browser = createUserAgent()
  const signIn = await browser.navigate(new URL('/bff/login', stack.gateway))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  // Nobody's trace that we believe: its state is not of ours (W3C Trace Context §3.3).
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' }
  const answers = await Promise.all([
    browser.call(new URL('/api/orders?1', stack.gateway)),
    browser.call(new URL('/api/orders?2', stack.gateway), { headers }),
  ])
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  )
  t.is((await browser.fetch(new URL('/api/orders', stack.gateway), { method: 'POST' })).status, 403)
  await stack.stop()
  const lines = stack
    .output()
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text))
  const of = (type: string) => lines.filter(({ msg }) => msg === type).map(({ trace }) => trace)
  const calls = of('gateway.request.forwarded')
  t.is(new Set(calls).size, 2)
  t.deepEqual(states, [undefined, undefined])
  t.deepEqual(received.map((field) => field.replace(/^00-([0-9a-f]{32})-[0-9a-f]{16}-00$/, '$1')).sort(), calls.sort())
  for (const type of ['gateway.login.started', 'as.sign-in.succeeded', 'as.token.issued', 'gateway.request.refused'])
    t.regex(`${of(type)[0]}`, /^[0-9a-f]{32}$/, type)
})

test('a collector that is gone costs spans, not calls', async (t) => {
  const stack = await startStack({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' } })
  t.is((await createUserAgent().navigate(new URL('/', stack.gateway))).status, 200)
  t.is(await stack.stop(), 0)
})
