import { readFile } from 'node:fs/promises'
import test from 'ava'
import { hashPassword } from '../../src/authorization-server/sign-in/password.js'
import { aBrowser, type Browser, type Page } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { type RunningServer, startServer } from '../authorization-server/_running.js'

/* Each password costs a tenth of a second of a core. Nobody but the one who sends twenty at once is to wait for them. */

interface Form {
  readonly browser: Browser
  readonly page: Page
}

async function aForm(server: RunningServer, address: string): Promise<Form> {
  const client = aProtocolClient(server)
  const browser = aBrowser({ 'x-forwarded-for': address })
  return { browser, page: await browser.get(client.authorizationUrl(await client.push())) }
}

const flooder = '203.0.113.66'

/** Twenty wrong passwords from one address, and how many of them have been answered. */
function flood({ browser, page }: Form, username: (i: number) => string) {
  let answered = 0
  const answers = Array.from({ length: 20 }, async (_, i) => {
    const answer = await browser.submit(page, 'sign-in', { username: username(i), password: 'guess' })
    answered++
    return answer
  })
  return { answered: () => answered, first: Promise.race(answers), all: Promise.all(answers) }
}

test.serial('a file is read while twenty wrong passwords of one address wait', async (t) => {
  const server = await startServer({
    trustedProxies: ['127.0.0.0/8'],
    users: [{ username: 'alice', passwordHash: await hashPassword('wonderland', { ln: 14, p: 2 }) }],
  })
  t.teardown(() => server.stop())
  const tries = flood(await aForm(server, flooder), (i) => `user${i}`)
  // The first is being checked: whatever is in the way of files is in their way now.
  await tries.first
  const before = tries.answered()
  await readFile('package.json')
  t.true(tries.answered() - before <= 2, `${tries.answered() - before} passwords went first`)
  t.true((await tries.all).every(({ status }) => status === 200))
})

test.serial("another person's sign-in waits for a password or two, not for twenty", async (t) => {
  const server = await startServer({
    trustedProxies: ['127.0.0.0/8'],
    users: [{ username: 'alice', passwordHash: await hashPassword('wonderland', { ln: 14, p: 2 }) }],
  })
  t.teardown(() => server.stop())
  const [mallory, alice] = [await aForm(server, flooder), await aForm(server, '198.51.100.1')]
  const tries = flood(mallory, (i) => `user${i}`)
  await tries.first
  const before = tries.answered()
  const answer = await alice.browser.submit(alice.page, 'sign-in', { username: 'alice', password: 'wonderland' })
  t.is(answer.status, 303)
  t.true(tries.answered() - before <= 5, `${tries.answered() - before} passwords went first`)
  await tries.all
})

test.serial('two hundred people of one office sign in at once: they wait, and none is sent away', async (t) => {
  const server = await startServer({ trustedProxies: ['127.0.0.0/8'] })
  t.teardown(() => server.stop())
  const forms = await Promise.all(Array.from({ length: 20 }, () => aForm(server, '198.51.100.7')))
  const answers = await Promise.all(
    forms.flatMap(({ browser, page }) =>
      Array.from({ length: 10 }, (_, i) =>
        browser.submit(
          page,
          'sign-in',
          i % 2 ? { username: 'alice', password: 'wonderland' } : { username: 'bob', password: 'builder' },
        ),
      ),
    ),
  )
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [303])
})

test.serial('a full line is a page that says so and when to come again, never a fault', async (t) => {
  const server = await startServer({
    trustedProxies: ['127.0.0.0/8'],
    signInLimits: { perAddress: 1000 },
    verifyUser: () => new Promise(() => {}),
  })
  t.teardown(() => server.stop())
  const { browser, page } = await aForm(server, flooder)
  // 32 are asked about and 200 may wait, none of which is ever answered: eight find the line full.
  const full = await new Promise<readonly Page[]>((resolve) => {
    const answered: Page[] = []
    for (let i = 0; i < 240; i++)
      browser.submit(page, 'sign-in', { username: `user${i}`, password: 'x' }).then(
        (answer) => answered.push(answer) === 8 && resolve(answered),
        () => {},
      )
  })
  for (const { status, headers, text } of full) {
    t.is(status, 503)
    t.is(headers.get('retry-after'), '10')
    t.regex(text, /Many people are signing in/)
  }
})
