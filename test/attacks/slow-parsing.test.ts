import test from 'ava'
import { safeReturnUrl } from '../../src/gateway/endpoints/return-url.js'
import { requestHeaders } from '../../src/gateway/forwarding/request-headers.js'
import { createStaticFiles } from '../../src/gateway/page/static-files.js'
import { parseRequestTarget } from '../../src/gateway/routing/request-target.js'
import { createRouteMatcher } from '../../src/gateway/routing/route.js'
import { measureSpent } from '../_spent.js'
import { aRoute } from '../gateway/_forwarding.js'
import { aGate, everyWay, type Sent } from './_gate.js'

/** The least of several runs: what a busy machine adds is not ours. */
function millisecondsOf(run: () => void): number {
  return Math.min(
    ...Array.from({ length: 15 }, () => {
      const spent = measureSpent()
      run()
      return spent()
    }),
  )
}

const matchRoute = createRouteMatcher('', [aRoute({ upstreams: [new URL('http://127.0.0.1')] })])

for (const [name, target] of [
  ['dots', `/api/${'../'.repeat(20_000)}`],
  ['slashes', `/api${'/'.repeat(64_000)}`],
  ['semicolons', `/api/${'.;'.repeat(32_000)}`],
  ['escapes', `/api/${'%25'.repeat(21_000)}2e`],
  ['escaped escapes', `/api/${'%2525'.repeat(12_000)}`],
  ['letters', `/api/${'a'.repeat(64_000)}!`],
  ['files', `/api/${'a.b'.repeat(21_000)}/`],
  ['spaces', `/api/.${'%20'.repeat(21_000)}x`],
  ['dots and spaces', `/api/${'.%20'.repeat(16_000)}x`],
  ['accents', `/api/a${'%CC%81'.repeat(10_000)}`],
  ['bytes that mean nothing', `/api/${'%C0%FF'.repeat(10_000)}`],
  ['upper case', `/api/${'A.'.repeat(32_000)}`],
  ['streams', `/api/${'a:'.repeat(32_000)}`],
  ['an absolute form', `http://${'a'.repeat(60_000)}`],
  ['a query', `/api?${"'".repeat(64_000)}`],
]) {
  test(`64 KB of a hostile target are read at once: ${name} (path-to-regexp CVE-2024-45296)`, (t) => {
    const spent = millisecondsOf(() => {
      try {
        matchRoute(parseRequestTarget(target ?? '', 'shop.example'))
      } catch {
        // Refused is as good as matched.
      }
    })
    t.true(spent < 50, `${spent} ms`)
  })
}

for (const [name, headers] of [
  ['a cookie of many', { cookie: 'a=b; '.repeat(12_000) }],
  ['a cookie of semicolons', { cookie: `bff-${';'.repeat(64_000)}` }],
  ['a cookie of spaces', { cookie: `bff-=${' '.repeat(64_000)}` }],
  ['a Connection of many', { connection: 'a,'.repeat(32_000) }],
  ['a Via of commas', { via: ','.repeat(64_000) }],
  ['a traceparent of zeros', { traceparent: `00-${'0'.repeat(64_000)}` }],
  ['a name without end', { [`x-${'-'.repeat(60_000)}`]: '1' }],
] as const) {
  test(`64 KB of a hostile header are read at once: ${name} (mod_auth_openidc CVE-2024-24814)`, (t) => {
    const facts = {
      request: { headers } as never,
      client: { address: '192.0.2.1', protocol: 'https', host: 'x' } as const,
      frontend: { publicPlace: { host: 'shop.example', scheme: 'https', forwarded: '' } },
      removedPrefix: '',
      requestId: '1',
    }
    const spent = millisecondsOf(() => void requestHeaders(facts))
    t.true(spent < 50, `${spent} ms`)
  })
}

for (const [name, returnUrl] of [
  ['escapes in escapes', `/%${'25'.repeat(1020)}41`],
  ['escaped slashes', `/x${'%252f'.repeat(400)}`],
  ['ligatures', `/${'\ufdfa'.repeat(200)}`],
] as const) {
  test(`2 KB of a hostile returnUrl are read at once: ${name}`, (t) => {
    const frontend = { base: '/bff/', options: { publicUrl: new URL('https://shop.example') } } as never
    const spent = millisecondsOf(() => {
      for (let time = 0; time < 20; time++) safeReturnUrl(returnUrl, frontend)
    })
    t.true(spent < 20, `${spent} ms for twenty`)
  })
}

test.serial('a hostile path or Accept-Encoding costs a static file nothing', async (t) => {
  const serve = createStaticFiles('/nowhere')
  const path = `/${'a.'.repeat(32_000)}`
  const headers = { 'accept-encoding': 'br;q=0.0 '.repeat(7_000) }
  const before = process.cpuUsage()
  await t.throwsAsync(serve({ method: 'GET', headers } as never, {} as never, path, 'navigation'), {
    code: 'bff.asset.unknown',
  })
  const { user } = process.cpuUsage(before)
  t.true(user < 100_000, `${user} µs`)
})

for (const [name, sent] of [
  ['dots in a target', { target: `/api/${'../'.repeat(4000)}` }],
  ['escapes in a target', { target: `/api/${'%2525'.repeat(2000)}2e` }],
  ['slashes in a target', { target: `/api${'/'.repeat(12_000)}` }],
  ['semicolons in a target', { target: `/api/${'.;'.repeat(6000)}` }],
  ['a host of letters', { host: 'a'.repeat(12_000) }],
  ['a host of dots', { host: `${'a.'.repeat(6000)}example` }],
  [
    'a forwarded host',
    { headers: [`X-Forwarded-Host: ${'a,'.repeat(6000)}`, `X-Forwarded-Proto: ${' ,'.repeat(500)}`] },
  ],
  ['forwarded addresses', { headers: [`X-Forwarded-For: ${'1.1.1.1, '.repeat(1300)}`] }],
  ['a Forwarded of semicolons', { headers: [`Forwarded: ${'for=";'.repeat(2000)}`] }],
  ['a Connection of many', { connection: 'a,'.repeat(6000) }],
  ['an Accept of many', { headers: [`Accept: ${'text/*;q=0,'.repeat(1000)}`] }],
  ['an Origin of letters', { headers: [`Origin: https://${'a'.repeat(12_000)}`] }],
  ['a traceparent of zeros', { headers: [`traceparent: 00-${'0'.repeat(12_000)}`] }],
] as const) {
  test.serial(
    `12 KB that are meant to be slow are answered like any other: ${name} (Koa's getters; CVE-2024-45296)`,
    async (t) => {
      const gate = await aGate(t, {
        frontends: [{ routes: [{ tokenType: 'None' }, { path: '/api/admin' }] }],
        gateway: { trustedProxies: ['127.0.0.0/8'] },
      })
      const cost = async (one: Sent): Promise<number> => {
        const spent = measureSpent()
        await everyWay(gate, one, () => {})
        return spent()
      }
      let usual = Number.POSITIVE_INFINITY
      for (let round = 0; round < 12; round++) usual = Math.min(usual, await cost({}))
      // The least of several runs, and of more of them where others have the processor.
      let spent = Number.POSITIVE_INFINITY
      for (let round = 0; round < 60 && spent >= 30; round++) spent = Math.min(spent, (await cost(sent)) - usual)
      t.true(spent < 30, `three calls cost ${spent} ms more than ${usual} ms`)
    },
  )
}
