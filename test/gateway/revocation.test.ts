import type { IncomingHttpHeaders } from 'node:http'
import test from 'ava'
import { generateProofKey } from '../../src/dpop/prover.js'
import { createProofVerifier } from '../../src/dpop/verifier.js'
import { thumbprint } from '../../src/jose/jwk.js'
import { eventually } from '../_eventually.js'
import { watchEvents } from './_events.js'
import { anIssuer } from './_issuer.js'
import { aPlantedGateway, ownPage } from './_planted.js'

const logOut = { method: 'POST', headers: ownPage }

test('a logout takes tokens back with a proof of the session’s key, and again with the nonce that is asked for (RFC 9449 §8)', async (t) => {
  const issuer = await anIssuer(t)
  issuer.metadata = { revocation_endpoint: `${issuer.issuer}/revoke` }
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const proofKey = generateProofKey()
  const { cookie } = await world.plant('app', { proofKey })
  const verify = createProofVerifier()
  const seen: { readonly nonce: string | undefined; readonly assertion: string; readonly token: string }[] = []
  issuer.answers.set('/revoke', async (request, response) => {
    const form = new URLSearchParams(await bodyOf(request))
    const target = { method: 'POST', url: new URL(`${issuer.issuer}/revoke`) }
    const { nonce, jkt } = verify(proofIn(request.headers), target)
    t.is(jkt, thumbprint(proofKey))
    seen.push({ nonce, assertion: form.get('client_assertion') ?? '', token: form.get('token') ?? '' })
    if (nonce === 'fresh') response.writeHead(200).end()
    else response.writeHead(400, { 'DPoP-Nonce': 'fresh' }).end('{"error":"use_dpop_nonce"}')
  })
  const answer = await world.call('/bff/logout', { ...logOut, headers: { ...ownPage, Cookie: cookie } })
  t.is(answer.status, 200)
  t.is(seen.filter(({ nonce }) => nonce === 'fresh').length, 2, 'the refresh and the access token')
  t.is(new Set(seen.map(({ assertion }) => assertion)).size, seen.length, 'each with an assertion of its own')
})

test.serial(
  'a refused revocation is a warning with the server’s words, and the logout is done all the same',
  async (t) => {
    const events = watchEvents(t)
    const issuer = await anIssuer(t)
    issuer.metadata = { revocation_endpoint: `${issuer.issuer}/revoke` }
    const world = await aPlantedGateway(t, { authority: issuer.issuer })
    const { cookie, id } = await world.plant()
    issuer.answers.set('/revoke', (_request, response) =>
      response.writeHead(400).end('{"error":"invalid_request","error_description":"DPoP proof is missing"}'),
    )
    t.is((await world.call('/bff/logout', { ...logOut, headers: { ...ownPage, Cookie: cookie } })).status, 200)
    t.is(await world.sessionsOf('app').open(id), undefined)
    const refused = () => events.filter(({ type }) => type === 'gateway.token.not-revoked')
    await eventually(() => refused().length === 2)
    for (const event of refused()) {
      t.like(event, { code: 'invalid_request', serverDescription: 'DPoP proof is missing' })
      t.regex(JSON.stringify(event), /"remedy":"[^"]*DPoP/)
    }
  },
)

async function bodyOf(request: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

function proofIn({ dpop }: IncomingHttpHeaders): string {
  return typeof dpop === 'string' ? dpop : ''
}
