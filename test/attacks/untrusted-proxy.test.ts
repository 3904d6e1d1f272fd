import test from 'ava'
import { call } from '../gateway/_client.js'
import { aClock } from '../gateway/_clock.js'
import { aWorld } from '../gateway/_world.js'
import { aGate, everyWay, passed } from './_gate.js'

const lies = [
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: http',
  'X-Forwarded-Scheme: http',
  'X-Forwarded-Ssl: off',
  'X-Forwarded-Port: 81',
  'X-Forwarded-For: 203.0.113.9',
  'X-Forwarded-Server: evil.example',
  'X-Host: evil.example',
  'Front-End-Https: off',
  'Forwarded: for=203.0.113.9;host=evil.example;proto=http',
]

for (const trustedProxies of [[], ['10.0.0.0/8', '192.0.2.0/24']]) {
  test(`who is not our proxy cannot say where a call came from (Fastify CVE-2026-3635): trusted ${trustedProxies}`, async (t) => {
    const gate = await aGate(t, {
      frontends: [{ hosts: ['shop.example'] }, { name: 'evil', hosts: ['evil.example'] }],
      gateway: { trustedProxies },
    })
    const { cookie } = await gate.plant()
    await everyWay(gate, { cookie, headers: lies }, ({ way, status, seen: [seen] }) => {
      t.is(status, passed(way), way)
      t.is(seen?.headers['x-forwarded-host'], 'shop.example', way)
      t.is(seen?.headers['x-forwarded-proto'], 'https', way)
      t.is(seen?.headers['x-forwarded-for'], '127.0.0.1', way)
      t.is(seen?.headers.forwarded, 'for=127.0.0.1;host="shop.example";proto=https', way)
      t.truthy(seen?.proof, 'the proof is for the URL really called')
      t.notRegex(JSON.stringify(seen?.rawHeaders), /evil|203\.0\.113|"81"/, way)
    })
  })
}

test('a client behind our proxy cannot add an address in front of its own, however the proxy writes that one', async (t) => {
  const gate = await aGate(t, { gateway: { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] } })
  const { cookie } = await gate.plant()
  for (const [hops, client] of [
    ['198.51.100.66, 203.0.113.5:41234', '203.0.113.5'],
    ['198.51.100.66, "[2001:DB8::5]:41234", 10.0.0.7:80', '2001:db8::5'],
    ['198.51.100.66, ::ffff:203.0.113.5', '203.0.113.5'],
    ['198.51.100.66, unknown', '127.0.0.1'],
    ['198.51.100.66, _hidden, 10.0.0.7', '10.0.0.7'],
    ['198.51.100.66, 10.7', '127.0.0.1'],
    ['198.51.100.66,', '127.0.0.1'],
  ] as const)
    for (const headers of [[`X-Forwarded-For: ${hops}`], hops.split(/, ?/).map((hop) => `X-Forwarded-For: ${hop}`)])
      await everyWay(gate, { cookie, headers }, ({ way, status, seen: [seen] }) => {
        t.is(status, passed(way), way)
        t.is(seen?.headers['x-forwarded-for'], client, `${way} ${headers}`)
      })
  // Of the two fields only this one is read: a proxy that writes the one does not clean the other.
  const both = ['Forwarded: for=198.51.100.66', 'X-Forwarded-For: 203.0.113.5']
  for (const headers of [both, both.toReversed()])
    await everyWay(gate, { cookie, headers }, ({ way, seen: [seen] }) =>
      t.is(seen?.headers['x-forwarded-for'], '203.0.113.5', way),
    )
  await everyWay(gate, { cookie, headers: ['Forwarded: for=198.51.100.66'] }, ({ way, seen: [seen] }) =>
    t.is(seen?.headers['x-forwarded-for'], '127.0.0.1', way),
  )
})

const twoShops = [
  { name: 'a', hosts: ['a.example'], publicUrl: new URL('https://a.example') },
  { name: 'b', hosts: ['b.example'], publicUrl: new URL('https://b.example') },
]
const otherHost = [
  'X-Forwarded-Host: b.example',
  'X-Forwarded-Server: b.example',
  'X-Forwarded-Port: 81',
  'X-Forwarded-Prefix: /b',
  'X-Original-Host: b.example',
  'X-Host: b.example',
  'Forwarded: host=b.example',
]

test('a client behind our proxy, which passes all fields on, cannot choose the frontend that a cache keeps for others', async (t) => {
  const gate = await aGate(t, { frontends: twoShops, gateway: { trustedProxies: ['127.0.0.0/8'] } })
  const { cookie } = await gate.plant('a')
  for (const target of ['/api/orders', 'http://a.example/api/orders'])
    await everyWay(
      gate,
      { cookie, host: 'a.example', target, origin: 'https://a.example', headers: otherHost },
      ({ way, status, seen: [seen] }) => {
        t.is(status, passed(way), `${way} ${target}`)
        t.is(seen?.headers['x-forwarded-host'], 'a.example', way)
        t.notRegex(JSON.stringify(seen?.rawHeaders), /b\.example|"81"|"\/b"/, way)
      },
    )
})

test('a proxy that sets X-Forwarded-Host itself may be told to be believed', async (t) => {
  const gate = await aGate(t, {
    frontends: twoShops,
    gateway: { trustedProxies: ['127.0.0.0/8'], trustForwardedHost: true },
  })
  const { cookie } = await gate.plant('b')
  const sent = { cookie, host: 'a.example', origin: 'https://b.example' }
  await everyWay(gate, { ...sent, headers: ['X-Forwarded-Host: a.example, b.example'] }, ({ way, status, seen }) => {
    t.is(status, passed(way), way)
    t.is(seen[0]?.headers['x-forwarded-host'], 'b.example', way)
  })
  for (const value of ['c.example', '', 'b.example, ', 'b.example/', '"b.example"', 'b.example b.example'])
    await everyWay(gate, { ...sent, headers: [`X-Forwarded-Host: ${value}`] }, ({ way, status, seen }) => {
      t.is(status, 421, `${way} ${value}`)
      t.deepEqual(seen, [])
    })
})

test('nor what a cookie, a redirect URI or a link looks like', async (t) => {
  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now } })
  const headers = Object.fromEntries(lies.map((line) => line.split(': ') as [string, string]))
  const login = await call(new URL(world.on.url), '/bff/login', {
    headers: { ...headers, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'none' },
  })
  t.is(login.status, 303)
  const pushed = world.provider.posted.at(-1)?.body
  t.is(pushed?.get('redirect_uri'), `${world.url}/bff/callback`)
  t.is(new URL(String(login.headers.location)).origin, new URL(world.provider.issuer).origin)
  for (const cookie of login.headers['set-cookie'] ?? []) {
    // Of the configured origin, plain http on this machine, and not of the https that the caller claims.
    t.regex(cookie, /^sallyport-bff-/)
    t.notRegex(cookie, /; ?secure/i)
    t.regex(cookie, /; ?httponly/i)
    t.notRegex(cookie, /domain=/i)
  }
  t.true((login.headers['set-cookie'] ?? []).length > 0)
  t.notRegex(JSON.stringify([login.headers, login.text]), /evil\.example/)
})
