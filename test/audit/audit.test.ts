import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import test from 'ava'
import { auditActions } from '../../src/audit/actions.js'
import { type AuditRecord, createAudit } from '../../src/audit/audit.js'
import { auditSchema } from '../../src/audit/schema.js'
import { processSource } from '../../src/server/administration/process-source.js'
import { createRecentRefusals } from '../../src/server/administration/recent-refusals.js'
import { createGenerations } from '../../src/server/generations.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createLogLevel } from '../../src/telemetry/log-level.js'
import { eventually } from '../_eventually.js'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { bothProducts } from '../flows/_both-products.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { aClock } from '../gateway/_clock.js'
import { serveAdmin } from '../server/administration/_administered.js'

const fits = new Ajv2020({ strict: false, validateFormats: false }).compile(auditSchema)

test.serial('everything that an auditor asks for is written down, and fits the schema', async (t) => {
  const records: AuditRecord[] = []
  const audit = createAudit({ onRecord: (record) => void records.push(record) })
  t.teardown(() => audit.close())
  const time = aClock()
  let reaches = 'bronze'
  const world = await bothProducts(t, {
    server: {
      verifyUser: async (username, password) =>
        password === 'wonderland'
          ? { subject: `user-${username}`, claims: { name: username }, acr: reaches }
          : undefined,
      signInLimits: { perUserAndAddress: 2, perUser: 50, perAddress: 50, window: 60 },
    },
    gateway: { now: time.now, administered: true },
    routes: [
      { path: '/staff', access: [{ claim: 'roles', anyOf: ['nobody'] }] },
      { path: '/gold', acrValues: ['gold'] },
    ],
  })
  const { url, server, gateway, signIn } = world
  const last = (action: string): AuditRecord | undefined => records.filter((record) => record.action === action).at(-1)

  // A login: a wrong password, the right one, the consent.
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login`)
  const again = await browser.submit(page, { username: 'alice', password: 'wrong' }, { button: 'sign-in' })
  await signIn(browser, again)
  const { requestId = '', session = '' } = last('login.succeeded') ?? {}
  for (const action of ['login.started', 'sign-in.failed', 'sign-in.succeeded', 'consent.given', 'token.issued'])
    t.is(last(action)?.requestId, requestId, `${action} has the id of the login`)
  t.like(last('login.succeeded'), { subject: 'user-alice', frontend: 'app', address: '127.0.0.1', outcome: 'success' })
  t.like(last('sign-in.failed'), { subject: 'user-alice', client: 'my-bff', address: '127.0.0.1', outcome: 'failure' })

  // Calls that are refused.
  await browser.call(`${url}/staff/x`)
  t.like(last('access.denied'), { code: 'bff.access.denied', subject: 'user-alice', session })
  await browser.fetch(`${url}/api/x`, { method: 'POST', headers: { 'User-Agent': 'a\u0001b'.replace('\u0001', '\t') } })
  t.like(last('csrf.refused'), {
    code: 'bff.csrf.header_missing',
    userAgent: 'a\ufffdb',
    subject: 'user-alice',
    session,
  })
  await fetch(`${url}/bff/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token: 'x' }) })

  // Step-up: as oneself, then as somebody else.
  const stepUp = async (again: string, password: string) => {
    reaches = 'bronze'
    const carol = await world.loggedIn('carol')
    const asked = (await (await carol.call(`${url}/gold/x`)).json()) as { readonly loginUrl: string }
    t.like(last('step-up.required'), { subject: 'user-carol' })
    reaches = 'gold'
    await signIn(carol, await carol.navigate(new URL(asked.loginUrl, url)), again, password)
  }
  await stepUp('carol', 'wonderland')
  t.like(last('step-up.succeeded'), { subject: 'user-carol' })
  t.like(last('session.ended'), { code: 'login', subject: 'user-carol' })
  await stepUp('bob', 'builder')
  t.regex(last('step-up.failed')?.code ?? '', /^bff\.step_up\./)

  // The server ends the single sign-on, and tells the gateway.
  const atServer = await browser.navigate(`${server.url}/connect/endsession`)
  await browser.submit(atServer, {}, { button: 'sign-out' })
  await eventually(() => last('session.ended')?.code === 'backchannel-logout')
  t.is(last('session.ended')?.code, 'backchannel-logout')
  t.like(last('sign-in.ended'), { subject: 'user-alice', address: '127.0.0.1' })

  // A logout, and a session that can no longer be refreshed.
  const leaving = await world.loggedIn('alice')
  await leaving.call(`${url}/bff/logout`, { method: 'POST' })
  t.like(last('logout'), { subject: 'user-alice', frontend: 'app' })
  const staying = createUserAgent()
  const { visited } = await signIn(staying, await staying.navigate(`${url}/bff/login`))
  const used = visited.find(({ pathname }) => pathname === '/bff/callback')?.searchParams.get('code') ?? ''
  await aProtocolClient(server).redeem(used)
  t.like(last('code.reused'), { client: 'my-bff' })
  time.advance(700)
  t.is((await staying.call(`${url}/api/x`)).status, 401)
  t.like(last('refresh.refused'), { code: 'invalid_grant', subject: 'user-alice' })
  t.is(last('session.ended')?.code, 'refresh-failed')
  t.like(last('token.refused'), { code: 'invalid_grant', requestId: last('refresh.refused')?.requestId ?? '' })

  // A login that the user gives up, and one that is guessed at.
  const declined = await createUserAgent().navigate(`${url}/bff/login`)
  const decliner = createUserAgent()
  await decliner.submit(await decliner.navigate(declined.visited[0] ?? url), {}, { button: 'cancel' })
  t.is(last('consent.refused')?.requestId, last('login.failed')?.requestId)
  t.is(last('login.failed')?.code, 'bff.login.denied')
  const guesser = createUserAgent()
  let form = await guesser.navigate(`${url}/bff/login`)
  for (let guess = 0; guess < 4; guess++)
    form = await guesser.submit(form, { username: 'bob', password: `${guess}` }, { button: 'sign-in' })

  // Another client's mistakes.
  const client = aProtocolClient(server, server.other)
  const code = (await client.authorize({}, { browser: aBrowser() })).searchParams.get('code') ?? ''
  const { body: tokens } = await client.redeem(code)
  await client.redeem(code)
  await client.post('revoke', { token: String(tokens.access_token) })
  const [assertion, proof] = [client.assertion(), client.proof('POST', `${server.url}/connect/par`)]
  for (let i = 0; i < 2; i++) await client.push({}, { assertion, proof, retry: false })
  await client.push({}, { assertion: false })
  t.is(last('client.refused')?.client, undefined)

  // Administrators, and what they write into files.
  const refusals = createRecentRefusals()
  t.teardown(refusals.close)
  const { ask } = await serveAdmin(
    t,
    processSource({
      gateway: () => gateway,
      authorizationServer: () => server,
      sealingKeys: () => 1,
      store: createMemoryStore(),
      configuration: () => ({ generation: 1, takenOverAt: 0, needsRestart: [] }),
      refusals,
      logLevel: createLogLevel({ level: 'info' }),
    }),
  )
  await world.loggedIn('alice')
  await ask('DELETE', '/admin/sessions?sub=user-alice')
  t.like(last('administration.acted'), { code: 'sessions.end', subject: 'user-alice', address: '127.0.0.1' })
  t.is(last('session.ended')?.code, 'administrator')
  await ask('DELETE', '/admin/sessions?sub=user-alice', { bearer: 'wrong' })
  const generations = createGenerations({ kept: [] } as never)
  generations.took({ kept: [] } as never, { added: ['app'], changed: [], removed: [] })
  generations.refuse([{ pointer: '/Bff', problem: 'is wrong', remedy: 'Mend it' }])

  const found = new Set(records.map(({ action }) => action))
  t.deepEqual(
    Object.keys(auditActions).filter((action) => !found.has(action as AuditRecord['action'])),
    [],
    'every action occurs',
  )
  for (const record of records) t.true(fits(record), `${JSON.stringify(record)} ${JSON.stringify(fits.errors)}`)
  t.is(new Set(records.map(({ id }) => id)).size, records.length)
  const text = JSON.stringify(records)
  for (const secret of ['wonderland', 'builder', code, assertion, proof, String(tokens.access_token)])
    t.false(text.includes(secret))
})

test('the published schema is the one of the code', async (t) => {
  t.deepEqual(JSON.parse(await readFile('audit.schema.json', 'utf8')), JSON.parse(JSON.stringify(auditSchema)))
})
