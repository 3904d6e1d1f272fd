import test from 'ava'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { callbackUri, startServer } from '../authorization-server/_running.js'

/* An authorization request that is none is answered at the client, where the query names a registered redirect URI. */

type Query = [string, string][]

const answerTo = async (at: string, query: Query) => {
  const search = new URLSearchParams(query)
  const { status, location } = await aBrowser().get(`${at}/connect/authorize?${search}`)
  return { status, location, parameters: Object.fromEntries(new URL(location ?? 'none:').searchParams) }
}

test('used, unknown and foreign request_uri, and a request that was not pushed: 303 to the client with error and iss', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const [client, other] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const foreign = String((await other.push()).body.request_uri)
  const redirect: Query = [
    ['client_id', 'client-1'],
    ['redirect_uri', callbackUri],
    ['state', 'mine'],
  ]
  const browser = aBrowser()
  const used = await client.push()
  const page = await browser.get(client.authorizationUrl(used))
  await browser.submit(page, 'cancel')
  const uris = [
    String(used.body.request_uri),
    'urn:ietf:params:oauth:request_uri:none',
    foreign,
    'https://evil.example/',
  ]
  for (const uri of uris) {
    const { status, location, parameters } = await answerTo(server.url, [...redirect, ['request_uri', uri]])
    t.is(status, 303, uri)
    t.true(location?.startsWith(`${callbackUri}?`), uri)
    t.like(parameters, { error: 'invalid_request_uri', iss: server.url }, uri)
    t.false('state' in parameters, uri)
  }
  const plain = await answerTo(server.url, redirect)
  t.is(plain.status, 303)
  t.like(plain.parameters, { error: 'invalid_request', iss: server.url, state: 'mine' })
  // What was pushed and is good goes on as ever, whatever else is in the query.
  const good = await answerTo(server.url, [
    ...redirect,
    ['request_uri', String((await client.push()).body.request_uri)],
  ])
  t.is(good.status, 200)
})

test('never to a place that is not registered, exactly', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const client: [string, string] = ['client_id', 'client-1']
  const queries: readonly Query[] = [
    [client],
    [client, ['redirect_uri', 'https://evil.example/']],
    [client, ['redirect_uri', `${callbackUri}/`]],
    [client, ['redirect_uri', `${callbackUri}?x=1`]],
    [client, ['redirect_uri', callbackUri.toUpperCase()]],
    [client, ['redirect_uri', callbackUri], ['redirect_uri', 'https://evil.example/']],
    [client, ['client_id', 'client-2'], ['redirect_uri', callbackUri]],
    [
      ['client_id', 'unknown'],
      ['redirect_uri', callbackUri],
    ],
    [['redirect_uri', callbackUri]],
  ]
  for (const query of queries) {
    const { status, location } = await answerTo(server.url, query)
    t.is(status, 400, JSON.stringify(query))
    t.is(location, undefined, JSON.stringify(query))
  }
})
