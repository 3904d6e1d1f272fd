import test from 'ava'
import { UpstreamError } from '../../src/errors.js'
import { createFrontend } from '../../src/gateway/frontend/frontend.js'
import { connectionRemedy, serverSaid } from '../../src/gateway/oauth/server-said.js'
import { printable } from '../../src/gateway/oauth/server-words.js'
import { eventually } from '../_eventually.js'
import { call } from './_client.js'
import { watchEvents } from './_events.js'
import { aFrontend } from './_gateway.js'
import { anIssuer } from './_issuer.js'
import { aPlantedGateway, navigation } from './_planted.js'

const frontend = createFrontend(
  aFrontend({ publicUrl: new URL('https://app.example'), authority: 'https://as.example' }),
)

test('a connection that does not come about names the setting that helps', (t) => {
  for (const code of [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ])
    t.regex(connectionRemedy(code), /AuthorityCaFile/)
  t.regex(connectionRemedy('CERT_HAS_EXPIRED'), /clock/)
  t.regex(connectionRemedy('ENOTFOUND'), /host name/)
  t.regex(connectionRemedy('ECONNREFUSED'), /port/)
  const cause = new TypeError('fetch failed', {
    cause: Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
  })
  t.regex(serverSaid(new UpstreamError('unreachable', 'x', { cause }), frontend).remedy ?? '', /AuthorityCaFile/)
})

test('what a server says is cut, and holds no control characters, tokens or codes', (t) => {
  const jwt = `eyJ${'a'.repeat(40)}.eyJ${'b'.repeat(40)}.${'c'.repeat(40)}`
  for (const secret of [
    jwt,
    'SplxlOBeZQQYbYS6WxSbIA0987654321abcdef',
    `code=${'k'.repeat(8)}`,
    `${'0f5d3f2c-9a1b-4c7d-8e6f-1a2b3c4d5e6f.'.repeat(2)}x`,
  ])
    t.false(printable(`the value ${secret} was refused`).includes(secret), secret)
  t.is(printable('a\u0000b\nc\u001b[31m'), 'a?b?c?[31m')
  t.is(printable('x '.repeat(300)).length, 200)
  const useful = "redirect_uri 'https://app.example/bff/callback' of 0f5d3f2c-9a1b-4c7d-8e6f-1a2b3c4d5e6f is unknown"
  t.is(printable(useful), useful)
})

test.serial(
  'a refused push, an error at the callback and a foreign issuer are in the log with code, words and remedy',
  async (t) => {
    const events = watchEvents(t)
    const issuer = await anIssuer(t)
    const world = await aPlantedGateway(t, { authority: issuer.issuer })
    const refused = (): (typeof events)[number] | undefined =>
      events.filter(({ type }) => type === 'gateway.request.refused').at(-1)

    issuer.answers.set('/par', (_request, response) =>
      response.writeHead(401).end('{"error":"invalid_client","error_description":"Unable to load\\npublic key"}'),
    )
    const answer = await world.call('/bff/login', { headers: navigation })
    t.is(answer.status, 400)
    t.false(answer.text.includes('Unable'), 'a person is not shown it')
    t.like(refused(), {
      code: 'bff.login.failed',
      serverError: 'invalid_client',
      serverDescription: 'Unable to load?public key',
    })
    t.regex(JSON.stringify(refused()), /public key of ClientSigningKeyJwk/)

    issuer.answers.set('/par', (_request, response) =>
      response.writeHead(201).end('{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60}'),
    )
    const begun = await call(new URL(world.on.url), '/bff/login', { headers: navigation })
    t.is(begun.status, 303, begun.text)
    // The state went with the push; its name in the cookie is all that is needed to see that nothing is believed before it.
    await world.call(`/bff/callback?error=invalid_scope&error_description=no&state=wrong&iss=${issuer.issuer}`, {
      headers: navigation,
    })
    t.like(refused(), { code: 'bff.login.transaction_absent', serverError: undefined })

    await world.call('/bff/callback?code=c&state=s&iss=https://other.example/%0a', { headers: navigation })
    t.like(refused(), { code: 'bff.login.issuer_mismatch' })
    t.regex(JSON.stringify(refused()), /https:\/\/other\.example\/\?.*Authority is http/)
    await eventually(() => events.length > 0)
  },
)
