import { randomBytes } from 'node:crypto'
import test from 'ava'
import { cookiesNamed, cookieValue } from '../../src/http/cookie.js'
import { measureSpent } from '../_spent.js'
import { aPlantedGateway, ownPage } from '../gateway/_planted.js'
import { aGate, everyWay, passed } from './_gate.js'

const name = '__Host-Http-bff-app'
const id = randomBytes(32).toString('base64url')

/** Headers made to be slow to read. */
const bombs: readonly (readonly [string, string])[] = [
  ['8 KB in one cookie', `x=${'a'.repeat(8192)}; ${name}=${id}`],
  ['1,000 cookies', `${Array.from({ length: 1000 }, (_, i) => `c${i}=${i}`).join('; ')}; ${name}=${id}`],
  [
    '1,000 cookies of almost our name',
    `${Array.from({ length: 1000 }, () => `x${name}=${id}`).join(';')}; ${name}=${id}`,
  ],
  ['spaces', `${' '.repeat(16_000)};${' '.repeat(16_000)}${name}=${id}`],
  ['spaces before almost our name', `${`${' '.repeat(60)}x${name}=1;`.repeat(300)}${name}=${id}`],
  ['semicolons', `${';'.repeat(32_000)}${name}=${id}`],
  ['equals signs', `${'='.repeat(32_000)};${name}=${id}`],
  ['our name again and again without a value', `${`${name} `.repeat(800)};${name}=${id}`],
]

/** Milliseconds of the fastest of twenty: what the work costs when nobody else is at work for that moment. */
function fastest(work: () => void): number {
  const times = Array.from({ length: 20 }, () => {
    const before = performance.now()
    work()
    return performance.now() - before
  })
  return Math.min(...times)
}

for (const [what, header] of bombs) {
  test(`${what}: read in one pass, in less than 5 ms`, (t) => {
    t.is(cookieValue(header, name), id)
    const time = fastest(() => {
      cookieValue(header, name)
      cookiesNamed(header, `${name}.`)
    })
    t.true(time < 5, `${time} ms`)
  })
}

test('reading twice as much takes twice as long, not four times', (t) => {
  const time = (count: number) => {
    const header = `${`${' '.repeat(60)}x${name}=1;`.repeat(count)}${name}=${id}`
    return fastest(() => {
      for (let round = 0; round < 20; round++) cookieValue(header, name)
    })
  }
  const [short, long] = [time(1000), time(16_000)]
  t.true(long < short * 64, `${short} ms for one, ${long} ms for sixteen times as much`)
})

test('hostile cookies are no session and no error', async (t) => {
  const world = await aPlantedGateway(t)
  const values = [
    '',
    '"',
    `"${id}"`,
    '%00',
    'a'.repeat(4000),
    '../../etc/passwd',
    '__proto__',
    `${id}=`,
    `${id} `,
    '💣',
    '=;=',
    `${id.slice(1)}!`,
    '{"a":1}',
  ]
  for (const value of values) {
    const answer = await world.call('/api/x', {
      headers: { ...ownPage, Cookie: `${name}=${Buffer.from(value).toString('latin1')}` },
    })
    t.is(answer.status, 401, value)
  }
})

test('transaction cookies of other people’s making cost no header of ours', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie } = await world.plant()
  const strange = Array.from({ length: 100 }, (_, i) => `${name}.${i}\u0001x=${i}`).join('; ')
  const answer = await world.call('/bff/logout', {
    method: 'POST',
    headers: { ...ownPage, Cookie: `${cookie}; ${strange.replaceAll('\u0001', '')}` },
  })
  t.is(answer.status, 200)
  t.true((answer.headers['set-cookie'] ?? []).join().length < 1000)
})

test.serial(
  '8 KB of cookies, a thousand of them and chunks without number open nothing and take nobody’s time',
  async (t) => {
    const gate = await aGate(t)
    const { cookie, id } = await gate.plant()
    const bombs = [
      Array.from({ length: 900 }, (_, index) => `c${index}=1`).join('; '),
      `x=${'a'.repeat(8000)}`,
      `${name}=${'A'.repeat(8000)}`,
      `${name}.99999999=${id}; ${name}-chunks=99999999; ${name}.0=a; ${name}.1=b`,
      `${name}=%%%; ${name}=${'='.repeat(4000)}`,
      `${`${name}=x; `.repeat(300)}`,
      ';'.repeat(8000),
      ' '.repeat(8000),
      '"'.repeat(8000),
    ]
    for (const bomb of bombs)
      await everyWay(gate, { cookie: bomb }, ({ way, status, seen }) => {
        t.is(status, 401, `${way} ${bomb.slice(0, 40)}`)
        t.deepEqual(seen, [])
      })
    t.is(gate.connections(), 0)
    // Beside such a thing the real one still counts.
    for (const bomb of [bombs[0], bombs[1], bombs[6]])
      await everyWay(gate, { cookie: `${bomb}; ${cookie}` }, ({ way, status, seen: [seen] }) => {
        t.is(status, passed(way), way)
        t.false(JSON.stringify(seen).includes(id))
      })
    // A head beyond what the server reads at all is refused as such.
    await everyWay(gate, { cookie: `x=${'a'.repeat(40_000)}` }, ({ way, status }) => t.is(status, 431, way))
    const cost = async (bomb: string | undefined): Promise<number> => {
      const costs = []
      for (let round = 0; round < 15; round++) {
        const spent = measureSpent()
        await everyWay(gate, { cookie: bomb ?? '' }, () => {})
        costs.push(spent())
      }
      return Math.min(...costs)
    }
    const usual = await cost(`${name}=x`)
    for (const bomb of bombs) {
      const spent = (await cost(bomb)) - usual
      t.true(spent < 15, `three calls cost ${spent} ms more: ${bomb.slice(0, 40)}`)
    }
  },
)
