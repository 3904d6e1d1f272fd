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

/** Node 20 and 22 give every promise a number of its own while an `AsyncLocalStorage` is in use; later versions have no need. */
async function areHooksOn(): Promise<boolean> {
  await undefined
  return executionAsyncId() !== 0
}

const within = (spans: readonly ReadableSpan[], parent: ReadableSpan | undefined): readonly string[] =>
  spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent?.spanContext().spanId)
    .map(({ name }) => name)

test.serial('a sampled call that is under way makes no promise of the process dearer', async (t) => {
  const spans = collectSpans(t)
  const api = await aSlowApi(t)
  const stack = await runStack({
    configure(configuration) {
      configuration.Bff.Frontends[0].Routes[0].Upstreams = [api.url]
    },
  })
  t.teardown(() => stack.stop())
  const browser = await loggedIn(stack)
  await eventually(async () => !(await areHooksOn()))
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
  await eventually(async () => !(await areHooksOn()))
})
