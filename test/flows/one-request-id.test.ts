import test from 'ava'
import { createLog, logEvents } from '../../src/telemetry/log.js'
import { eachLine } from '../_log-lines.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { aClock } from '../gateway/_clock.js'
import { bothProducts } from './_both-products.js'
import { createUserAgent } from './_user-agent.js'

interface Line {
  readonly msg: string
  readonly requestId?: string
  readonly claimedRequestId?: string
  readonly code?: string
}

const lines: string[] = []
logEvents(createLog({ level: 'debug', destination: eachLine((line) => lines.push(line)) }))

/** As `grep` finds it in the logs of both. */
function linesWith(text: string): readonly Line[] {
  return lines.filter((line) => line.includes(text)).map((line) => JSON.parse(line) as Line)
}

test.serial('one id finds a login that failed at the server, on either side', async (t) => {
  const { url } = await bothProducts(t)
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login`)
  const again = await browser.submit(page, { username: 'alice', password: 'wrong' }, { button: 'sign-in' })
  const failed = await browser.submit(again, {}, { button: 'cancel' })
  // What the user reads out on the telephone.
  const [, requestId = ''] = /([0-9a-f]{8}-[0-9a-f-]{27})/.exec(failed.body) ?? []
  const found = linesWith(requestId)
  t.deepEqual(
    found.map(({ msg }) => msg).filter((msg) => msg !== 'gateway.issuer.called'),
    [
      // Without a nonce at first.
      'as.request.refused',
      'as.request.pushed',
      'gateway.login.started',
      'as.sign-in.failed',
      'as.request.refused',
      'gateway.request.refused',
    ],
  )
  t.true(found.every((line) => line.requestId === requestId))
  t.deepEqual(
    found.flatMap(({ code }) => code ?? []),
    ['use_dpop_nonce', 'access_denied', 'bff.login.denied'],
  )
})

test.serial('every event of the server says which request it belongs to, and so does its answer', async (t) => {
  const time = aClock()
  const world = await bothProducts(t, { gateway: { now: time.now } })
  const from = lines.length
  const browser = await world.loggedIn()
  // The gateway's only: the token is due.
  time.advance(700)
  t.is((await browser.call(`${world.url}/api/x`)).status, 200)
  await browser.call(`${world.url}/bff/logout`, { method: 'POST' })
  const told = lines.slice(from).map((line) => JSON.parse(line) as Line)
  const ofServer = told.filter(({ msg }) => msg.startsWith('as.'))
  t.true(ofServer.length > 6)
  for (const { msg, requestId } of ofServer) t.regex(requestId ?? '', /^[0-9a-f-]{36}$/, msg)
  // The refresh, and the logout, on both sides.
  const [refreshed] = told.filter(({ msg }) => msg === 'gateway.session.refreshed')
  t.true(ofServer.some(({ msg, requestId }) => msg === 'as.token.issued' && requestId === refreshed?.requestId))
  t.true(ofServer.some(({ msg }) => msg === 'as.token.revoked'))
  const answer = await fetch(`${world.server.url}/.well-known/openid-configuration`)
  t.regex(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
})

test.serial('an id is taken over from a client that has proved who it is, and from no one else', async (t) => {
  const { server } = await bothProducts(t)
  const client = aProtocolClient(server, server.other)
  const push = async (assertion: string, requestId: string) => {
    const body = new URLSearchParams({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    })
    const headers = { 'X-Request-Id': requestId }
    return fetch(`${server.url}/connect/par`, { method: 'POST', body, headers })
  }
  const known = await push(client.assertion(), 'mine-1')
  t.is(known.headers.get('x-request-id'), 'mine-1')
  t.like(linesWith('mine-1'), [{ msg: 'as.request.refused', requestId: 'mine-1' }])

  const stranger = await push('e30.e30.e30', 'theirs-1')
  t.not(stranger.headers.get('x-request-id'), 'theirs-1')
  const [line] = linesWith('theirs-1')
  t.is(line?.claimedRequestId, 'theirs-1')
  t.is(line?.requestId, stranger.headers.get('x-request-id') ?? '')

  await push('e30.e30.e30', 'forged line')
  t.deepEqual(linesWith('forged line'), [])
})
