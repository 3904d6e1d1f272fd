import test from 'ava'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { type ProfileName, tokenProfiles } from '../../src/dpop-validator/token/token-profile.js'
import { outcome, publicUrl } from '../dpop-validator/_requests.js'

/* Where a page and its API share one registration, an issuer's other tokens have the same keys and the same `aud`. */

const registration = 'page-and-api'
const issuer = await startTestIssuer({ audience: registration })
const trusted = { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } }
test.after.always(() => issuer.close())

type Members = Readonly<Record<string, unknown>>

/** Takes out what the test issuer puts into every token. */
const bare = { client_id: undefined, jti: undefined, scope: undefined }

async function verdictOn(profile: ProfileName, header: Members, claims: Members) {
  const verifier = createVerifier({
    issuer: trusted,
    audience: registration,
    publicUrl,
    profile,
    mode: 'mixed',
    now: issuer.clock.now,
  })
  const token = issuer.mintToken(undefined, { header, claims: { ...bare, ...claims } })
  const rawHeaders = ['Host', 'api.example', 'Authorization', `Bearer ${token}`]
  return verifier.verify({ method: 'GET', target: '/orders', rawHeaders, peer: undefined })
}

/** Access tokens in the shape that each server's documentation shows, and what its ID tokens have besides the usual. */
const servers: Readonly<Record<Exclude<ProfileName, 'fapi2'>, { access: Members; header?: Members; id: Members }>> = {
  rfc9449: { access: { scope: 'read', client_id: 'spa' }, id: { sid: 's', azp: 'spa' } },
  keycloak: {
    access: { typ: 'Bearer', azp: 'spa', jti: 'j', scope: 'read', sid: 's' },
    id: { typ: 'ID', azp: 'spa', jti: 'j' },
  },
  auth0: { access: { azp: 'spa', scope: 'read' }, id: { sid: 's', nickname: 'al' } },
  entra: {
    access: { azp: 'spa', azpacr: '0', scp: 'read', roles: ['Orders.Write'], ver: '2.0', oid: 'o', tid: 't' },
    id: { roles: ['Orders.Write'], scp: 'read', ver: '2.0', oid: 'o', tid: 't', preferred_username: 'al' },
  },
  okta: {
    access: { cid: 'spa', uid: 'u', scp: ['read', 'openid'], ver: 1, jti: 'AT.x' },
    id: { ver: 1, jti: 'ID.x', amr: ['pwd'], idp: 'i' },
  },
  cognito: {
    access: { aud: undefined, client_id: registration, token_use: 'access', scope: 'read', version: 2, jti: 'j' },
    id: { token_use: 'id', 'cognito:username': 'al', jti: 'j' },
  },
  curity: {
    access: { purpose: 'access_token', client_id: 'spa', scope: 'read openid', delegationId: 'd', jti: 'j' },
    id: { purpose: 'id', azp: 'spa', jti: 'j' },
  },
  spring: { access: { scope: ['read', 'openid'], jti: 'j' }, id: { azp: registration, sid: 's', jti: 'j' } },
}

for (const [name, { access, id }] of Object.entries(servers)) {
  const profile = name as ProfileName

  for (const typ of ['JWT', undefined, 'application/jwt', 'at+jwt'])
    test(`${profile}: an access token whose typ is ${typ} passes, with its scopes`, async (t) => {
      const required = typ === 'at+jwt' ? { client_id: 'spa', ...access } : access
      const verdict = await verdictOn(profile, { typ }, required)
      if (verdict.kind !== 'accepted') return t.fail(verdict.kind === 'refused' ? verdict.error.message : verdict.kind)
      t.true(verdict.auth.scopes.has('read'))
      if (profile !== 'spring') t.regex(verdict.auth.clientId ?? '', /^(?:spa|page-and-api)$/)
    })

  for (const typ of ['JWT', undefined])
    test(`${profile}: an ID token whose typ is ${typ} is refused, with and without nonce and hashes`, async (t) => {
      for (const more of [
        {},
        { nonce: 'n' },
        { at_hash: 'x' },
        { c_hash: 'x' },
        { s_hash: 'x' },
        { auth_time: 1, acr: '1' },
      ])
        t.is(outcome(await verdictOn(profile, { typ }, { ...id, ...more })), 'invalid_token', JSON.stringify(more))
    })

  /** What says that it is something else is believed, even where it looks like an access token. */
  for (const [what, claims] of Object.entries({
    'an ID token': { nonce: 'n' },
    'an ID token by token_use': { token_use: 'id' },
    'a refresh token by token_use': { token_use: 'refresh' },
    'an ID token by its payload': { typ: 'ID' },
    'a refresh token by its payload': { typ: 'Refresh' },
    'an offline token': { typ: 'Offline' },
    'a kind that is no text': { typ: 1 },
    'a kind that is null': { token_use: null },
    'an ID token by token_type': { token_type: 'id_token' },
    'an ID token by purpose': { purpose: 'id' },
    'a logout token': { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
    'a DPoP proof': { htm: 'GET', htu: `${publicUrl}/orders` },
    'an introspection response': { token_introspection: { active: true } },
    'a request object': { response_type: 'code', redirect_uri: 'https://app.example/cb' },
    'a software statement': { redirect_uris: ['https://app.example/cb'] },
  }))
    test(`${profile}: ${what} is refused`, async (t) => {
      t.is(outcome(await verdictOn(profile, { typ: 'JWT' }, { ...access, ...claims })), 'invalid_token')
    })

  for (const typ of [
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'token-introspection+jwt',
    'oauth-authz-req+jwt',
    'client-authentication+jwt',
    'id_token',
    'ID',
    'JOSE',
    'application/',
    'application/dpop+jwt',
    '',
    null,
    1,
    ['JWT'],
  ])
    test(`${profile}: a token of the type ${JSON.stringify(typ)} is refused`, async (t) => {
      t.is(outcome(await verdictOn(profile, { typ }, access)), 'invalid_token')
    })
}

test('fapi2: only what says at+jwt passes', async (t) => {
  const claims = { scope: 'read', client_id: 'spa', jti: 'j' }
  t.is(outcome(await verdictOn('fapi2', { typ: 'at+jwt' }, claims)), 'accepted')
  for (const typ of ['JWT', undefined]) t.is(outcome(await verdictOn('fapi2', { typ }, claims)), 'invalid_token')
  t.is(outcome(await verdictOn('fapi2', { typ: 'at+jwt' }, { ...claims, token_use: 'id' })), 'invalid_token')
  t.is(outcome(await verdictOn('fapi2', { typ: 'at+jwt' }, { ...claims, events: {} })), 'invalid_token')
})

test('entra: an ID token with app roles is refused, and an application without a role or scope passes', async (t) => {
  const roles = { roles: ['Orders.Write'], oid: 'o', tid: 't' }
  t.is(outcome(await verdictOn('entra', { typ: 'JWT' }, roles)), 'invalid_token')
  for (const azp of ['', null, 1, []])
    t.is(outcome(await verdictOn('entra', { typ: 'JWT' }, { ...roles, azp })), 'invalid_token', JSON.stringify(azp))
  t.is(outcome(await verdictOn('entra', { typ: 'JWT' }, { appid: 'job', appidacr: '1' })), 'accepted')
})

test('cognito: the client stands for the audience where there is none, and only there', async (t) => {
  const { access } = servers.cognito
  t.is(outcome(await verdictOn('cognito', {}, { ...access, client_id: 'another' })), 'invalid_token')
  t.is(outcome(await verdictOn('cognito', {}, { ...access, client_id: [registration] })), 'invalid_token')
  for (const aud of ['https://other.example', null, '', []])
    t.is(outcome(await verdictOn('cognito', { typ: 'JWT' }, { ...access, aud })), 'invalid_token', JSON.stringify(aud))
  t.is(outcome(await verdictOn('cognito', { typ: 'JWT' }, { ...access, aud: registration })), 'accepted')
  for (const profile of Object.keys(tokenProfiles) as ProfileName[])
    if (profile !== 'cognito')
      t.is(
        outcome(await verdictOn(profile, { typ: 'at+jwt' }, { ...access, cid: registration })),
        'invalid_token',
        profile,
      )
})
