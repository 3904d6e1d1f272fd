import { executionAsyncId } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../_eventually.js'
import { runStack, type Stack } from '../flows/_stack.js'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import { collectSpans } from './_spans.js'

async function loggedIn({ gateway }: Stack): Promise<UserAgent> {
  const browser = createUserAgent()
  const signIn = await browser.navigate(new URL('/bff/login', gateway))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  return browser
}

/** Answers when it is told to. */
async function aSlowApi(t: ExecutionContext) {
  const waiting: (() => void)[] = []
  const server = createServer((_, response) => void waiting.push(() => response.end('{}'))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, waiting }
}

/** Node 20 and 22 give every promise a number of its own while an `AsyncLocalStorage` is in use, which makes promises dearer for good. */
async function areHooksOn(): Promise<boolean> {
  await undefined
  return executionAsyncId() !== 0
}

const within = (spans: readonly ReadableSpan[], parent: ReadableSpan | undefined): readonly string[] =>
  spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent?.spanContext().spanId)
    .map(({ name }) => name)

test.serial('a sampled login and a sampled call make no promise of the process dearer', async (t) => {
  const spans = collectSpans(t)
  const api = await aSlowApi(t)
  const stack = await runStack({
    configure(configuration) {
      configuration.Bff.Frontends[0].Routes[0].Upstreams = [api.url]
    },
  })
  t.teardown(() => stack.stop())
  const browser = await loggedIn(stack)
  t.false(await areHooksOn())
  const call = browser.call(new URL('/api/orders', stack.gateway))
  await eventually(() => api.waiting.length === 1)
  t.false(await areHooksOn())
  for (const answer of api.waiting) answer()
  t.is((await call).status, 200)
  await eventually(() => spans().some(({ name }) => name === 'GET /api'))
  const whole = spans().find(({ name }) => name === 'GET /api')
  t.deepEqual(within(spans(), whole), ['session', 'access token', 'proof', 'upstream'])
})

test.serial('a call that needs no token has no span of a proof', async (t) => {
  const spans = collectSpans(t)
  const stack = await runStack({
    configure(configuration) {
      const [route] = configuration.Bff.Frontends[0].Routes
      configuration.Bff.Frontends[0].Routes.push({ Path: '/open', Upstreams: route.Upstreams, TokenType: 'None' })
    },
  })
  t.teardown(() => stack.stop())
  await createUserAgent().call(new URL('/open/orders', stack.gateway))
  await eventually(() => spans().some(({ name }) => name === 'GET /open'))
  const parts = within(
    spans(),
    spans().find(({ name }) => name === 'GET /open'),
  )
  t.true(parts.includes('upstream'))
  t.false(parts.includes('proof'))
})

test.serial('the refresh that a call begins is in its trace, whether the call waits for it or not', async (t) => {
  const spans = collectSpans(t)
  const stack = await runStack({
    configure(configuration) {
      // Due from the first call on.
      configuration.Bff.RefreshGracePeriod = '00:10:00'
      configuration.Bff.Frontends[0].Routes[0].Access = [{ Claim: 'sub', AnyOf: ['alice'] }]
      configuration.Bff.Frontends[0].Routes.push({ ...configuration.Bff.Frontends[0].Routes[0], Path: '/beside' })
      delete configuration.Bff.Frontends[0].Routes[1].Access
    },
  })
  t.teardown(() => stack.stop())
  const browser = await loggedIn(stack)
  for (const path of ['/api', '/beside']) {
    await browser.call(new URL(`${path}/orders`, stack.gateway))
    await eventually(() => {
      const call = spans().findLast(({ name }) => name === `GET ${path}`)
      const parts = spans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === call?.spanContext().spanId)
      const token = parts.find(({ name }) => name === 'access token')
      return token !== undefined && within(spans(), token).includes('issuer')
    })
    t.pass(path)
  }
})

test.serial('what an authorization server is asked is in the trace of the request that it is asked for', async (t) => {
  const spans = collectSpans(t)
  const stack = await runStack({
    configure(configuration) {
      const [route] = configuration.Bff.Frontends[0].Routes
      configuration.Bff.Frontends[0].Routes.push({ ...route, Path: '/own', TokenType: 'Client' })
    },
  })
  t.teardown(() => stack.stop())
  const asked = (whole: string): readonly string[] => {
    const request = spans().findLast(({ name }) => name === whole)
    const parts = spans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === request?.spanContext().spanId)
    const token = parts.find(({ name }) => name === 'access token')
    return spans()
      .filter(
        ({ name, parentSpanContext }) =>
          name === 'issuer' &&
          [request, token].some((parent) => parent && parent.spanContext().spanId === parentSpanContext?.spanId),
      )
      .map(({ attributes }) => new URL(String(attributes['url.full'])).pathname)
  }
  const browser = await loggedIn(stack)
  await browser.call(new URL('/own/orders', stack.gateway))
  await browser.call(new URL('/bff/logout', stack.gateway), { method: 'POST' })
  for (const [request, endpoints] of [
    ['GET /bff/login', ['/.well-known/openid-configuration', '/connect/par']],
    ['GET /bff/callback', ['/connect/token', '/connect/jwks', '/connect/userinfo']],
    ['GET /own', ['/connect/token']],
    ['POST /bff/logout', ['/connect/revoke']],
  ] as const) {
    await eventually(() => endpoints.every((endpoint) => asked(request).includes(endpoint)))
    t.pass(request)
  }
})
