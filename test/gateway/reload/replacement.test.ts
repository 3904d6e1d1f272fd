import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import test from 'ava'
import { WebSocket } from 'ws'
import { ConfigurationError } from '../../../src/errors.js'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { eventually } from '../../_eventually.js'
import { aRoute, listen } from '../_gateway.js'
import { webSocketUpstream } from '../_web-socket-upstream.js'
import { aWorld, whoAmI } from '../_world.js'

const open = async (url: string, headers: Record<string, string> = {}): Promise<WebSocket> => {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers })
  await once(socket, 'open')
  return socket
}

const echoed = async (socket: WebSocket, text: string): Promise<string> => {
  socket.send(text)
  const [data] = (await once(socket, 'message')) as [Buffer]
  return data.toString()
}

/** A second frontend beside the first, below a path. */
function beside(frontend: FrontendOptions, routes: FrontendOptions['routes']): FrontendOptions {
  return { ...frontend, name: 'other', pathPrefix: '/other', clientId: 'other-bff', routes }
}

test('other options are served from the next request on, and every session stays', async (t) => {
  const { gateway, options, frontend, api, url, loggedIn } = await aWorld(t)
  const browser = await loggedIn()
  t.is((await browser.call(`${url}/reports`)).status, 404)
  const route = aRoute({ path: '/reports', upstreams: [new URL(api.url)] })
  const prepared = await gateway.prepare({
    ...options,
    frontends: [{ ...frontend, routes: [...frontend.routes, route] }],
  })
  t.is((await browser.call(`${url}/reports`)).status, 404, 'prepared is not served')
  t.deepEqual(prepared.changes, { added: [], changed: ['app'], removed: [] })
  prepared.swap({ drain: 1 })
  t.is((await browser.call(`${url}/reports`)).status, 200)
  t.is((await whoAmI(browser, url)).sub, 'alice')
})

test('a login that is under way completes on the options that have come meanwhile', async (t) => {
  const { gateway, options, frontend, url, aBrowser } = await aWorld(t)
  const browser = aBrowser()
  const form = await browser.navigate(`${url}/bff/login`)
  const prepared = await gateway.prepare({ ...options, frontends: [{ ...frontend, idTokenHint: false }] })
  prepared.swap({ drain: 1 })
  await browser.submit(form, { login: 'alice', password: 'any' })
  t.true((await whoAmI(browser, url)).authenticated)
})

test('sockets of an untouched frontend stay and are still ended by logout; those of one that changed or went are asked to leave', async (t) => {
  const upstream = await webSocketUpstream()
  t.teardown(() => upstream.close())
  const upstreams = [upstream.url]
  const { gateway, options, frontend, url, loggedIn } = await aWorld(t, { route: { upstreams } })
  const none = (path: string) => aRoute({ path, upstreams, tokenType: 'None' })
  const served = (...frontends: FrontendOptions[]) => ({ ...options, frontends: [frontend, ...frontends] })
  const first = await gateway.prepare(served(beside(frontend, [none('/a')])))
  first.swap({ drain: 1 })

  const browser = await loggedIn()
  const cookie = [...browser.cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ')
  const mine = await open(`${url}/api/socket`, { Cookie: cookie, Origin: url })
  const theirs = await open(`${url}/other/a/socket`, { Origin: url })
  t.is(await echoed(theirs, 'before'), 'before')

  const second = await gateway.prepare(served(beside(frontend, [none('/a'), none('/b')])))
  t.deepEqual(second.changes, { added: [], changed: ['other'], removed: [] })
  const left = once(theirs, 'close')
  second.swap({ drain: 1 })
  t.deepEqual((await left).map(String), ['1001', 'going away'])
  t.is(await echoed(mine, 'still'), 'still')

  const again = await open(`${url}/other/b/socket`, { Origin: url })
  const third = await gateway.prepare(served())
  t.deepEqual(third.changes, { added: [], changed: [], removed: ['other'] })
  const gone = once(again, 'close')
  third.swap({ drain: 1 })
  t.is(Number((await gone)[0]), 1001)

  // Other colours: the frontend is provisioned anew, and what is open stays all the same.
  const fourth = await gateway.prepare({ ...served(), branding: { name: 'Shop' } })
  t.deepEqual(fourth.changes, { added: [], changed: [], removed: [] })
  fourth.swap({ drain: 0.2 })
  t.is(await echoed(mine, 'and on'), 'and on')

  const ended = once(mine, 'close')
  const { logoutUrl } = await whoAmI(browser, url)
  await browser.call(new URL(logoutUrl ?? '', url), { method: 'POST' })
  t.is(Number((await ended)[0]), 4401, 'by logout')
})

test('a call that is under way is answered by the upstream that it went to', async (t) => {
  const slow = await listen()
  t.teardown(() => slow.close())
  const { gateway, options, frontend, url } = await aWorld(t, {
    route: { tokenType: 'None', upstreams: [new URL(slow.url)] },
  })
  const asked = new Promise<() => void>((resolve) => slow.handle((_, response) => resolve(() => response.end('old'))))
  const answer = fetch(`${url}/api/orders`, { headers: { 'X-CSRF': '1' } })
  const finish = await asked
  const next = await listen((_, response) => void response.end('new'))
  t.teardown(() => next.close())
  const routes = [aRoute({ tokenType: 'None', upstreams: [new URL(next.url)] })]
  const prepared = await gateway.prepare({ ...options, frontends: [{ ...frontend, routes }] })
  prepared.swap({ drain: 5 })
  t.is(await (await fetch(`${url}/api/orders`, { headers: { 'X-CSRF': '1' } })).text(), 'new')
  finish()
  t.is(await (await answer).text(), 'old')
  // With the last of its calls the connections go, too.
  await eventually(() => new Promise((resolve) => slow.server.getConnections((_, count) => resolve(count === 0))))
})

test('what takes longer than the drain is broken off, and only of the frontend that changed', async (t) => {
  const slow = await listen((_, response) => void response.writeHead(200).write('begun'))
  t.teardown(() => slow.close())
  const upstreams = [new URL(slow.url)]
  const { gateway, options, frontend, url } = await aWorld(t, { route: { tokenType: 'None', upstreams } })
  const other = beside(frontend, [aRoute({ path: '/a', tokenType: 'None', upstreams })])
  ;(await gateway.prepare({ ...options, frontends: [frontend, other] })).swap({ drain: 1 })
  const [mine, theirs] = await Promise.all(
    ['/api/x', '/other/a/x'].map((path) => fetch(url + path, { headers: { 'X-CSRF': '1' } })),
  )
  const changed = { ...other, idTokenHint: false }
  ;(await gateway.prepare({ ...options, frontends: [frontend, changed] })).swap({ drain: 0.1 })
  await t.throwsAsync(theirs?.text() ?? Promise.resolve())
  const reader = mine?.body?.getReader()
  t.is(new TextDecoder().decode((await reader?.read())?.value), 'begun')
  t.is(await Promise.race([reader?.read().then(String, String), Promise.resolve('open')]), 'open')
  await reader?.cancel()
})

test('options that cannot work, or another store, change nothing; nor do options that are discarded', async (t) => {
  const { gateway, options, frontend, url } = await aWorld(t)
  const error = await t.throwsAsync<ConfigurationError>(
    gateway.prepare({ ...options, frontends: [frontend, { ...frontend, pathPrefix: 'x' }] }),
    { instanceOf: ConfigurationError },
  )
  t.true(error.problems.length >= 2)
  await t.throwsAsync(gateway.prepare({ ...options, store: createMemoryStore() }), { instanceOf: TypeError })
  const discarded = await gateway.prepare({ ...options, frontends: [{ ...frontend, pathPrefix: '/elsewhere' }] })
  discarded.discard()
  t.is((await fetch(`${url}/bff/user`, { headers: { 'X-CSRF': '1' } })).status, 200)

  const [one, two] = await Promise.all([gateway.prepare(options), gateway.prepare(options)])
  one.swap({ drain: 1 })
  t.throws(() => two.swap({ drain: 1 }), { instanceOf: TypeError })
  two.discard()
})

test('an untouched frontend keeps what it knows; one that changed has asked its server before it is served', async (t) => {
  const { gateway, options, frontend, provider, url, loggedIn } = await aWorld(t)
  const browser = await loggedIn()
  const asked = () => provider.requests.filter((line) => line.includes('/.well-known/')).length
  const before = asked()
  ;(await gateway.prepare({ ...options })).swap({ drain: 1 })
  t.is(asked(), before)
  ;(await gateway.prepare({ ...options, frontends: [{ ...frontend, idTokenHint: false }] })).swap({ drain: 1 })
  t.is(asked(), before + 1)
  // The key of the ring that sealed it is still there.
  const keys = createSeal([randomBytes(32)])
  ;(await gateway.prepare({ ...options, seal: { ...keys, unseal: options.seal.unseal } })).swap({ drain: 1 })
  t.true((await whoAmI(browser, url)).authenticated)
})
