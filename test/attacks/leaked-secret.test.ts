import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import test from 'ava'
import { channelName } from '../../src/telemetry/events.js'
import { createLog, logEvents } from '../../src/telemetry/log.js'
import { createMetrics } from '../../src/telemetry/metrics.js'
import { aClock } from '../gateway/_clock.js'
import { clientJwk } from '../gateway/_gateway.js'
import { logIn } from '../gateway/_provider.js'
import { aWorld, whoAmI } from '../gateway/_world.js'

const canary = 'CANARY-7f3a9c5e1b'

test('no token, code, cookie, key or assertion appears in any log, event, metric or error, at any level', async (t) => {
  const written: string[] = []
  const listener = (event: unknown) => void written.push(JSON.stringify(event), inspect(event, { depth: 20 }))
  subscribe(channelName, listener)
  logEvents(createLog({ level: 'debug', destination: { write: (line) => void written.push(line) } }))
  const metrics = createMetrics({ version: '1.2.3' })
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    stream.write = (chunk: string | Uint8Array) => {
      written.push(String(chunk))
      return write(chunk)
    }
    t.teardown(() => {
      stream.write = write
    })
  }
  const problems: string[] = []

  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now } })
  const { url, provider, api } = world
  const browser = world.aBrowser()
  const cookies = new Set<string>()
  const note = () => {
    for (const value of browser.cookies(url).values()) cookies.add(value)
  }
  const call = async (path: string, init?: RequestInit) => {
    const answer = await browser.call(url + path, init)
    note()
    problems.push(await answer.text(), JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie')))
  }

  // Everything that goes well, and then everything that does not.
  await browser.navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/auth' })
  note()
  const page = await logIn(browser, `${url}/bff/login`)
  const callback = page.visited.find(({ pathname }) => pathname === '/bff/callback')
  note()
  t.like(await whoAmI(browser, url), { authenticated: true })
  await call('/api/x')
  time.advance(280)
  await call('/api/x')
  problems.push((await browser.navigate(callback ?? '')).body)
  const hostile = JSON.stringify({
    error: canary,
    error_description: canary,
    access_token: canary,
    refresh_token: canary,
    id_token: `eyJhbGciOiJub25lIn0.${canary}.`,
  })
  for (const answer of [
    { status: 400, body: hostile },
    { status: 400, body: JSON.stringify({ error: 'invalid_request', error_description: canary }) },
    { status: 200, body: hostile },
    { status: 200, body: JSON.stringify({ access_token: canary, token_type: 'Bearer', expires_in: 60 }) },
    { status: 200, body: JSON.stringify({ access_token: canary, token_type: canary }) },
    { status: 200, body: canary },
    { status: 500, body: canary },
    'reset',
  ] as const) {
    provider.tokenOutage = answer
    time.advance(400)
    await call('/api/x')
    const failed = await logIn(world.aBrowser(), `${url}/bff/login?login_hint=${canary}&returnUrl=/${canary}`)
    problems.push(failed.body)
  }
  provider.tokenOutage = 'none'
  await browser.navigate(`${url}/bff/callback?code=${canary}&state=${canary}&iss=${canary}`)
  await call(`/bff/logout?sid=${canary}`)
  await call('/bff/logout', { method: 'POST' })
  await call('/api/x')
  const metricsText = await metrics.render()

  const secrets = new Set<string>([canary, ...cookies, ...[...cookies].map((value) => value.split('.')[0] ?? '')])
  for (const { body, headers } of provider.posted) {
    for (const name of ['code', 'code_verifier', 'client_assertion', 'refresh_token', 'token', 'nonce', 'state']) {
      const value = body.get(name)
      if (value) secrets.add(value)
    }
    if (headers.dpop) secrets.add(String(headers.dpop))
  }
  for (const { headers } of api.calls) {
    secrets.add(String(headers.authorization).slice('DPoP '.length))
    secrets.add(String(headers.dpop))
  }
  secrets.add(String(clientJwk.d))
  t.true(secrets.size > 20, `${secrets.size} secrets were looked for`)
  t.true(written.length > 20)

  // What the API answers to its own caller is not ours: it echoes its token to show that it got one.
  const answers = problems.filter((text) => !text.includes('"authorization"'))
  const everything = [...written, metricsText, ...answers].join('\n')
  for (const secret of secrets) {
    if (secret === '') continue
    const at = everything.indexOf(secret)
    t.is(at, -1, `leaked near: ${everything.slice(Math.max(0, at - 200), at + 20)}`)
  }
  unsubscribe(channelName, listener)
})
