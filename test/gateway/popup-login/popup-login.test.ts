import test, { type ExecutionContext } from 'ava'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { altered } from '../../_altered.js'
import { call, type Reply } from '../_client.js'
import { listen, serveGateway } from '../_gateway.js'
import { codeOf, navigation, ownPage } from '../_planted.js'
import { aScriptedLogin } from '../_scripted-login.js'

const publicOrigin = 'https://app.example'
const embedding = { origins: ['https://portal.example'] }

/** A browser's two jars: what a frame's cookies are to its window, and the other way round. */
interface Jar {
  readonly cookies: Map<string, string>
  header(): Record<string, string>
  keep(reply: Reply): Reply
}

function aJar(): Jar {
  const cookies = new Map<string, string>()
  return {
    cookies,
    header: () => ({ Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
    keep(reply) {
      for (const field of reply.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? []
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      return reply
    },
  }
}

/** What a browser says of a form that the frame's page posts into a window. */
const ownWindow = {
  Origin: publicOrigin,
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Content-Type': 'application/x-www-form-urlencoded',
}

async function aPortal(t: ExecutionContext, overrides: Partial<FrontendOptions> = {}) {
  let later = 0
  const now = () => Date.now() / 1000 + later
  const store = createMemoryStore({ now })
  const frontend = { publicUrl: new URL(publicOrigin), embedding, routes: [] }
  const { issuer, world } = await aScriptedLogin(t, {
    frontends: [
      { name: 'app', ...frontend, ...overrides },
      { name: 'other', pathPrefix: '/other', ...frontend },
      { name: 'plain', pathPrefix: '/plain', publicUrl: frontend.publicUrl, routes: [] },
    ],
    gateway: { store, now },
  })
  let pushes = 0
  let asked = new URLSearchParams()
  issuer.answers.set('/par', async (request, response) => {
    pushes += 1
    let form = ''
    for await (const chunk of request) form += String(chunk)
    asked = new URLSearchParams(form)
    response.writeHead(201).end('{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60}')
  })
  issuer.metadata = {}
  issuer.refreshed = async () => {
    const iat = Math.floor(Date.now() / 1000)
    const nonce = asked.get('nonce')
    const claims = { iss: issuer.issuer, aud: 'my-bff', sub: 'alice', iat, exp: iat + 300, nonce }
    const id_token = await issuer.sign(claims, { typ: 'JWT' })
    return { access_token: 'token', token_type: 'DPoP', expires_in: 300, id_token }
  }
  const self = {
    issuer,
    world,
    store,
    pushes: () => pushes,
    asked: () => asked,
    wait(seconds: number) {
      later += seconds
    },
    async begin(frame: Jar, query = ''): Promise<string> {
      const headers = { ...ownPage, Origin: publicOrigin, ...frame.header() }
      const reply = frame.keep(await world.call(`/bff/popup-login${query}`, { method: 'POST', headers }))
      t.is(reply.status, 200, reply.text)
      return (JSON.parse(reply.text) as { ticket: string }).ticket
    },
    post: (
      window: Jar,
      ticket: string,
      headers: Record<string, string> = ownWindow,
      path = '/bff',
      fields: Record<string, string> = {},
    ) =>
      world
        .call(`${path}/popup-login/window`, {
          method: 'POST',
          headers: { ...headers, ...window.header() },
          body: new URLSearchParams({ ticket, ...fields }).toString(),
        })
        .then(window.keep),
    come(window: Jar, answer: Record<string, string> = { code: 'c' }) {
      const query = new URLSearchParams({ ...answer, state: asked.get('state') ?? '', iss: issuer.issuer })
      const headers = { ...navigation, 'Sec-Fetch-Site': 'cross-site', ...window.header() }
      return world.call(`/bff/callback?${query}`, { headers }).then(window.keep)
    },
    ask: (frame: Jar) =>
      world
        .call('/bff/popup-login/session', {
          method: 'POST',
          headers: { ...ownPage, Origin: publicOrigin, ...frame.header() },
        })
        .then(frame.keep),
    user: async (jar: Jar) =>
      JSON.parse((await world.call('/bff/user', { headers: { ...ownPage, ...jar.header() } })).text) as {
        authenticated: boolean
        sub?: string
      },
    /** From the click to the last page of the window. */
    async signIn(frame: Jar, window: Jar, query = ''): Promise<Reply> {
      const opened = await self.post(window, await self.begin(frame, query))
      t.is(opened.status, 200, opened.text)
      return self.come(window)
    },
  }
  return self
}

const session = '__Host-Http-bff-app'

test('a frame has the session of its window, and the window has none', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  const ticket = await world.begin(frame)
  t.deepEqual([...frame.cookies.keys()], [`${session}~p`])
  t.deepEqual(JSON.parse((await world.ask(frame)).text), { authenticated: false }, 'not yet')

  const opened = await world.post(window, ticket)
  t.regex(String(opened.headers.refresh), /^0; url=http:\/\/127\.0\.0\.1:\d+\/authorize\?/)
  t.regex(String(opened.headers['content-security-policy']), /frame-ancestors 'none'/)
  const last = await world.come(window)
  t.is(last.status, 200, last.text)
  t.regex(last.text, /You are signed in/)
  t.regex(String(last.headers['content-security-policy']), /default-src 'none'.*script-src 'sha256-[^']+'/)
  t.deepEqual(
    [...window.cookies.keys()].filter((name) => name === session),
    [],
  )
  t.like(await world.user(window), { authenticated: false })

  const { headers, text } = await world.ask(frame)
  t.deepEqual(JSON.parse(text), { authenticated: true })
  t.true(headers['set-cookie']?.every((field) => /samesite=none/i.test(field) && /; partitioned/i.test(field)))
  t.deepEqual([...frame.cookies.keys()], [session])
  t.like(await world.user(frame), { authenticated: true, sub: 'alice' })
  const id = frame.cookies.get(session) ?? ''
  for (const said of [opened, last]) t.false(JSON.stringify([said.text, said.headers]).includes(id))
})

test('a session is handed over once, whoever asks how often', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.signIn(frame, window)
  const secret = frame.header()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      world.world.call('/bff/popup-login/session', { method: 'POST', headers: { ...ownPage, ...secret } }),
    ),
  )
  t.is(answers.filter(({ text }) => (JSON.parse(text) as { authenticated: boolean }).authenticated).length, 1)
  t.is(answers.filter(({ headers }) => headers['set-cookie'] !== undefined).length, 1)
})

test('another frame’s secret, and the ticket itself, open nothing', async (t) => {
  const world = await aPortal(t)
  const [frame, stranger, window] = [aJar(), aJar(), aJar()]
  await world.begin(stranger)
  const ticket = await world.begin(frame)
  await world.post(window, ticket)
  await world.come(window)
  t.deepEqual(JSON.parse((await world.ask(stranger)).text), { authenticated: false })
  stranger.cookies.set(`${session}~p`, ticket.split('.')[0] ?? '')
  t.deepEqual(JSON.parse((await world.ask(stranger)).text), { authenticated: false })
  t.is(codeOf(await world.ask(aJar())), 'bff.login.transaction_absent', 'and no secret is no question')
  t.deepEqual(JSON.parse((await world.ask(frame)).text), { authenticated: true })
})

const notOwn: readonly (readonly [string, Record<string, string>, string])[] = [
  ['a form of another site', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, 'bff.csrf.cross_site'],
  [
    'a form of the page around the frame',
    { Origin: embedding.origins[0] ?? '', 'Sec-Fetch-Site': 'cross-site' },
    'bff.csrf.cross_site',
  ],
  ['a form that hides its origin', { Origin: 'null' }, 'bff.csrf.cross_site'],
  [
    'a form of a neighbour',
    { Origin: 'https://www.app.example', 'Sec-Fetch-Site': 'same-site' },
    'bff.csrf.cross_site',
  ],
  ['what no page has sent', { 'Sec-Fetch-Site': 'none' }, 'bff.csrf.cross_site'],
  ['a browser that says nothing of the site', { 'Sec-Fetch-Site': '' }, 'bff.csrf.cross_site'],
  ['another site that adds the header', { Origin: 'https://evil.example', 'X-CSRF': '1' }, 'bff.csrf.cross_site'],
  ['a form into a frame', { 'Sec-Fetch-Dest': 'iframe' }, 'bff.navigation.required'],
  ['a call', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'X-CSRF': '1' }, 'bff.navigation.required'],
]

for (const [what, headers, code] of notOwn)
  test(`a window is not begun by ${what}`, async (t) => {
    const world = await aPortal(t)
    // An attacker's own ticket, which would make the user's session theirs.
    const ticket = await world.begin(aJar())
    const reply = await world.post(aJar(), ticket, { ...ownWindow, ...headers })
    t.is(codeOf(reply), code)
    t.is(reply.headers['set-cookie'], undefined)
    t.is(world.pushes(), 0, 'and the authorization server is not asked')
  })

test('neither Origin nor Sec-Fetch-* may be missing, and a link is no form', async (t) => {
  const world = await aPortal(t)
  const ticket = await world.begin(aJar())
  for (const name of ['Origin', 'Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest'] as const) {
    const { [name]: _, ...headers } = ownWindow
    t.is((await world.post(aJar(), ticket, headers)).status, 403, name)
  }
  const link = await world.world.call(`/bff/popup-login/window?ticket=${ticket}`, { headers: navigation })
  t.is(link.status, 405)
  t.is(world.pushes(), 0)
})

test('a ticket is the frontend’s own, as it was made, and for a minute', async (t) => {
  const world = await aPortal(t)
  const frame = aJar()
  const ticket = await world.begin(frame)
  const [challenge = '', ...sealed] = ticket.split('.')
  const [otherChallenge = ''] = (await world.begin(aJar())).split('.')
  for (const [wrong, path] of [
    ['', '/bff'],
    [challenge, '/bff'],
    [`${otherChallenge}.${sealed.join('.')}`, '/bff'],
    [altered(ticket), '/bff'],
    [ticket, '/other/bff'],
  ] as const) {
    const reply = await world.post(aJar(), wrong, ownWindow, path)
    t.is(reply.status, 400, wrong)
    t.regex(reply.text, /<!doctype html>.*bff\.login\.transaction_absent/s, 'a person sees a page')
  }
  world.wait(62)
  t.is((await world.post(aJar(), ticket)).status, 400)
  t.is(world.pushes(), 0)
})

test('a window asks where to sign in, where there are several, and posts the choice with the ticket of its frame', async (t) => {
  const world = await aPortal(t, {
    authorities: [{ name: 'bank' }, { name: 'city', authority: 'http://127.0.0.1:9', clientId: 'other' }],
  })
  const [frame, window] = [aJar(), aJar()]
  const ticket = await world.begin(frame)
  const page = await world.post(window, ticket)
  t.is(page.status, 200)
  t.is(world.pushes(), 0)
  // A form of a page with 'no-referrer' would say that its origin is "null", and be refused.
  t.is(page.headers['referrer-policy'], 'same-origin')
  t.deepEqual(
    [...page.text.matchAll(/name="authority" value="([^"]*)"/g)].map(([, name]) => name),
    ['bank', 'city'],
  )
  const [, posted = ''] = /name="ticket" value="([^"]*)"/.exec(page.text) ?? []
  t.is(posted, ticket)
  world.wait(200)
  const opened = await world.post(window, ticket, ownWindow, '/bff', { authority: 'bank' })
  t.regex(String(opened.headers.refresh), /^0; url=http:\/\/127\.0\.0\.1:\d+\/authorize\?/)
  t.is((await world.come(window)).status, 200)
  t.like(JSON.parse((await world.ask(frame)).text), { authenticated: true })
  t.like(await world.user(frame), { authenticated: true, sub: 'alice' })

  const nowhere = await world.post(aJar(), await world.begin(aJar()), ownWindow, '/bff', { authority: 'nowhere' })
  t.regex(nowhere.text, /name="authority" value="city"/, 'it asks again')
  const direct = await world.post(aJar(), await world.begin(aJar(), '?authority=bank'))
  t.regex(String(direct.headers.refresh), /\/authorize\?/)
})

test('a session that its frame does not fetch within half a minute is not handed over', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.signIn(frame, window)
  world.wait(31)
  t.deepEqual(JSON.parse((await world.ask(frame)).text), { authenticated: false })
  t.is(frame.cookies.get(session), undefined)
})

test('what rests in the store meanwhile opens nothing', async (t) => {
  const written: string[] = []
  const world = await aPortal(t)
  const { set } = world.store
  world.store.set = (key, value, expiresAt) => {
    if (key.startsWith('popup-login')) written.push(`${key} ${value}`)
    return set.call(world.store, key, value, expiresAt)
  }
  const [frame, window] = [aJar(), aJar()]
  const ticket = await world.begin(frame)
  await world.post(window, ticket)
  await world.come(window)
  t.is(written.length, 1)
  await world.ask(frame)
  const secrets = [frame.cookies.get(session) ?? '', ticket.split('.')[0] ?? '']
  for (const secret of secrets) t.false(secret === '' || written.join().includes(secret))
})

test('the frame’s former session ends, and the window’s own one stays', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.signIn(frame, window)
  await world.ask(frame)
  const former = aJar()
  former.cookies.set(session, frame.cookies.get(session) ?? '')
  const own = await world.world.plant('app')
  window.cookies.set(session, own.id)
  await world.signIn(frame, window)
  await world.ask(frame)
  t.like(await world.user(frame), { authenticated: true })
  t.like(await world.user(former), { authenticated: false })
  t.like(await world.user(window), { authenticated: true })
})

test('the window’s own session counts as one of the user’s', async (t) => {
  const world = await aPortal(t, { sessionsPerUser: { max: 1, whenFull: 'RefuseNew' } })
  const [frame, window] = [aJar(), aJar()]
  window.cookies.set(session, (await world.world.plant('app')).id)
  t.regex((await world.signIn(frame, window)).text, /bff\.login\.too_many_sessions/)
  t.deepEqual(JSON.parse((await world.ask(frame)).text), { authenticated: false })
  t.like(await world.user(window), { authenticated: true })
})

test('the frame may ask another replica than its window', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.signIn(frame, window)
  const replica = await listen()
  const gateway = await serveGateway(replica, world.world.options)
  t.teardown(async () => {
    await replica.close()
    await gateway.close()
  })
  const reply = await call(new URL(replica.url), '/bff/popup-login/session', {
    method: 'POST',
    headers: { ...ownPage, ...frame.header() },
  })
  t.deepEqual(JSON.parse(frame.keep(reply).text), { authenticated: true })
  t.like(await world.user(frame), { authenticated: true, sub: 'alice' })
})

test('a session that ends before its frame has it is not handed over', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.signIn(frame, window)
  const sessions = world.world.sessionsOf('app')
  for (const key of await sessions.ownKeysOf({ subject: 'alice' })) await sessions.end({ key }, 'logout')
  const reply = await world.ask(frame)
  t.is(codeOf(reply), 'bff.session.ended')
  t.is(frame.cookies.get(session), undefined)
})

test('parameters of a login link work, and those of the protocol do not', async (t) => {
  const world = await aPortal(t)
  await world.signIn(aJar(), aJar(), '?login_hint=bob&client_id=evil&returnUrl=https://evil.example')
  t.is(world.asked().get('login_hint'), 'bob')
  t.is(world.asked().get('client_id'), 'my-bff')
})

test('a login that fails is said in the window, and the frame may begin again', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.post(window, await world.begin(frame))
  const refused = await world.come(window, { error: 'access_denied' })
  t.regex(refused.text, /bff\.login\.denied/)
  t.deepEqual(JSON.parse((await world.ask(frame)).text), { authenticated: false })
  world.issuer.down = true
  const unavailable = await world.post(window, await world.begin(frame))
  t.is(unavailable.status, 503)
  t.regex(unavailable.text, /<!doctype html>.*bff\.issuer\.unavailable/s)
  world.issuer.down = false
  await world.signIn(frame, window)
  t.deepEqual(JSON.parse((await world.ask(frame)).text), { authenticated: true })
})

test('a callback that comes twice makes one session', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  await world.post(window, await world.begin(frame))
  await Promise.all([world.come(window), world.come(window), world.come(window)])
  t.is((await world.world.sessionsOf('app').ownKeysOf({ subject: 'alice' })).length, 1)
})

test('signing in many times in windows is no loop', async (t) => {
  const world = await aPortal(t)
  const [frame, window] = [aJar(), aJar()]
  for (let times = 0; times < 5; times += 1) t.is((await world.signIn(frame, window)).status, 200)
})

test('there are no such endpoints where nothing is embedded', async (t) => {
  const { world } = await aPortal(t)
  for (const path of ['', '/window', '/session']) {
    const headers = path === '/window' ? { ...ownWindow, 'X-CSRF': '1' } : ownPage
    const reply = await world.call(`/plain/bff/popup-login${path}`, { method: 'POST', headers, body: '' })
    t.is(codeOf(reply), 'bff.endpoint.unknown', path)
  }
})

for (const [what, name, removed] of [
  ['came', 'app', /^__Host-Http-bff-app=;.*Max-Age=0.*SameSite=Strict/],
  [
    'went',
    'plain',
    /^__Host-Http-bff-plain=;.*Max-Age=0.*SameSite=None.*Partitioned|^__Host-Http-bff-plain=;.*Max-Age=0.*Partitioned.*SameSite=None/,
  ],
] as const)
  test(`a cookie from before Embedding ${what} gives way at a login`, async (t) => {
    const { world } = await aPortal(t)
    const path = name === 'app' ? '/bff/login' : '/plain/bff/login'
    const cookie = `__Host-Http-bff-${name}=${'a'.repeat(43)}`
    const login = async (cookies: string) =>
      (await world.call(path, { headers: { ...navigation, Cookie: cookies } })).headers['set-cookie'] ?? []
    t.true((await login(`${cookie}; ${cookie}`)).some((field) => removed.test(field)))
    t.false((await login('theme=dark')).some((field) => removed.test(field)))
  })
