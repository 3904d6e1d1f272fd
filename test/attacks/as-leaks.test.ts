import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import type { Store } from '../../src/store/store.js'
import { channelName, type SallyportEvent } from '../../src/telemetry/events.js'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { startServer } from '../authorization-server/_running.js'

/** A store that remembers every text it was ever given, keys included. */
function aWitness(): { readonly store: Store; readonly texts: string[] } {
  const texts: string[] = []
  const memory = createMemoryStore()
  const store = new Proxy(memory, {
    get(target, name: keyof Store) {
      if (name === 'signals') return undefined
      return (...parameters: never[]) => {
        texts.push(...parameters.map(String))
        return Reflect.apply(target[name], target, parameters)
      }
    },
  })
  return { store, texts }
}

test.serial('no event and no record holds a secret, a token or a claim, whatever happens', async (t) => {
  const { store, texts } = aWitness()
  const events: SallyportEvent[] = []
  const listen = (event: unknown): void => void events.push(event as SallyportEvent)
  subscribe(channelName, listen)
  const server = await startServer({ store })
  const client = aProtocolClient(server)
  const browser = aBrowser()

  const pushed = await client.push()
  const page = await browser.get(client.authorizationUrl(pushed))
  await browser.submit(page, 'sign-in', { username: 'alice', password: 'not-wonderland' })
  const consent = await browser.follow(
    await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  const code = new URL((await browser.submit(consent, 'allow')).location ?? '').searchParams.get('code') ?? ''
  const { body: tokens } = await client.redeem(code)
  const cookies = [...browser.cookies.values()]
  const { body: refreshed } = await client.refresh(String(tokens.refresh_token))
  await client.userinfo(String(tokens.access_token))
  const assertion = client.assertion()
  const proof = client.proof('POST', `${server.url}/connect/par`)
  for (let i = 0; i < 2; i++) await client.push({}, { assertion, proof, retry: false })
  await client.push({}, { proof, retry: false })
  await client.redeem(code)
  await client.post('revoke', { token: String(tokens.refresh_token) })
  await browser.submit(await browser.get(`${server.url}/connect/endsession`), 'sign-out')
  await server.stop()
  unsubscribe(channelName, listen)

  t.deepEqual([...new Set(events.map(({ type }) => type))].sort(), [
    'as.code.issued',
    'as.code.reused',
    'as.consent.given',
    'as.key.rotated',
    'as.replay.detected',
    'as.request.pushed',
    'as.request.refused',
    'as.session.ended',
    'as.sign-in.failed',
    'as.sign-in.succeeded',
    'as.token.issued',
    'as.token.revoked',
  ])
  const secrets = [
    String(pushed.body.request_uri),
    code,
    String(tokens.access_token),
    String(tokens.refresh_token),
    String(tokens.id_token),
    String(refreshed.access_token),
    assertion,
    proof,
    ...cookies,
    'wonderland',
  ]
  t.is(secrets.filter((secret) => secret.length < 10).length, 0)
  for (const [where, text] of [
    ['events', JSON.stringify(events)],
    ['store', texts.join('\n')],
  ] as const)
    for (const secret of secrets) t.false(text.includes(secret), `${where}: ${secret.slice(0, 12)}…`)
  // At rest nothing is readable: no JWT, no key, no user.
  // Three letters alone come up in sealed text by chance.
  t.notRegex(texts.join('\n'), /eyJ[\w-]{8,}\.[\w-]{8,}\./)
  for (const readable of ['"kty"', 'alice', 'Alice', 'Liddell', 'client.example'])
    t.false(texts.join('\n').includes(readable), readable)
})
