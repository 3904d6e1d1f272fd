import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createFrontend } from '../../src/gateway/frontend/frontend.js'
import { createOpenedSessions } from '../../src/gateway/session/opened-sessions.js'
import { createSessionStore } from '../../src/gateway/session/session-store.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createRedisStore } from '../../src/store/redis-store.js'
import { createSeal } from '../../src/store/seal.js'
import type { Store } from '../../src/store/store.js'
import { aFrontend } from '../gateway/_gateway.js'
import { aPlantedGateway, codeOf, ownPage } from '../gateway/_planted.js'
import { startRedis } from '../store/_redis.js'

const redis = await startRedis()
test.after.always(() => redis?.stop())

const visitor = () => ({ address: '', userAgent: '' })

const races = test.macro(async (t, open: () => Promise<Store>, count: number) => {
  const store = await open()
  const seal = createSeal([randomBytes(32)])
  const frontend = createFrontend(
    aFrontend({ publicUrl: new URL('https://app.example'), authority: 'https://as.example' }),
  )
  // Idle time is written at every use, so that there is always something to race with.
  const now = () => Date.now() / 1000
  const [here, there] = [0, 1].map(() =>
    createSessionStore({ store, seal, frontend, opened: createOpenedSessions(), now }),
  )
  if (here === undefined || there === undefined) throw new Error('two processes')
  let alive = 0
  for (let batch = 0; batch < count; batch += 250) {
    await Promise.all(
      Array.from({ length: 250 }, async () => {
        const id = randomBytes(32).toString('base64url')
        const record = { createdAt: now(), subject: 'alice', claims: {}, accessTokens: {} }
        const session = await here.start(id, record)
        const opened = await there.open(id)
        if (opened === undefined) throw new Error('it lives')
        // A slow request ends with a refresh and a renewed idle time while the user logs out elsewhere.
        await Promise.all([
          there.replace(id, opened, { ...record, refreshToken: 'new' }),
          there.keepAlive(id, opened, visitor),
          here.end(session, 'logout'),
          here.keepAlive(id, session, visitor),
          there.replace(id, opened, { ...record, refreshToken: 'newer' }),
        ])
        await Promise.all([there.replace(id, opened, record), here.keepAlive(id, session, visitor)])
        if ((await here.open(id)) !== undefined || (await store.get(session.key)) !== undefined) alive += 1
      }),
    )
  }
  t.is(alive, 0)
  await store.close()
})

// `npm run bench:stampede -- --only "logout races" --races 10000` has more of them, on three real replicas.
test(
  '2,000 logouts race with refreshes and renewals, and every session stays dead (memory)',
  races,
  async () => createMemoryStore(),
  2000,
)
if (redis === undefined) {
  test.skip('dead sessions over Redis: no redis-server is installed', () => {})
} else {
  test(
    '1,000 logouts race with refreshes and renewals, and every session stays dead (Redis)',
    races,
    () => createRedisStore({ url: redis.url, timeout: 30 }),
    1000,
  )
}

test('a slow call that began before the logout neither revives the session nor gives its cookie back', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  let answerSlowly = (): void => {}
  const asked = new Promise<void>((resolve) => {
    world.api.handle((_request, response) => {
      resolve()
      answerSlowly = () => void response.end('{}')
    })
  })
  const slow = world.call('/api/slow', { headers: { ...ownPage, Cookie: cookie } })
  await asked
  const logout = await world.call('/bff/logout', { method: 'POST', headers: { ...ownPage, Cookie: cookie } })
  t.is(logout.status, 200)
  answerSlowly()
  await slow.catch(() => undefined)
  t.is(await world.sessionsOf('app').open(id), undefined)
  const after = await world.call('/api/again', { headers: { ...ownPage, Cookie: cookie } })
  t.is(after.status, 401)
  t.is(codeOf(after), 'bff.session.ended')
  t.is(after.headers['set-cookie'], undefined)
})
