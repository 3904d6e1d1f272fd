import test from 'ava'
import type { PushedAuthorizationRequest } from '../../../src/authorization-server/endpoints/pushed-authorization-request.js'
import { decide } from '../../../src/authorization-server/interaction/authorization-decision.js'
import type { SignInSession } from '../../../src/authorization-server/sign-in/sign-in-session.js'

const now = 1_000_000

function aRequest(asked: Partial<PushedAuthorizationRequest>): PushedAuthorizationRequest {
  return {
    clientId: 'client',
    requestId: 'r-1',
    redirectUri: 'https://app.example.com/cb',
    scopes: ['openid'],
    codeChallenge: 'x',
    target: { kind: 'default' } as unknown as PushedAuthorizationRequest['target'],
    responseMode: 'query',
    prompts: [],
    acrValues: [],
    uiLocales: [],
    openBy: now + 60,
    interaction: { browsers: [] },
    ...asked,
  }
}

function aSession(said: Partial<SignInSession> = {}): SignInSession {
  return {
    username: 'alice',
    subject: 'alice',
    claims: {},
    sid: 'sid',
    authTime: now - 100,
    amr: ['pwd'],
    clients: [],
    expiresAt: now + 3600,
    ...said,
  }
}

const signedInHere = { interaction: { browsers: [], signedInto: 'sid' } }

for (const [what, request, session, expected] of [
  ['nothing special', {}, {}, 'authorize'],
  ['one of the acr values that the session has', { acrValues: ['silver', 'gold'] }, { acr: 'gold' }, 'authorize'],
  ['another acr than the session has', { acrValues: ['gold'] }, { acr: 'silver' }, 'sign-in'],
  ['an acr, and the session has none', { acrValues: ['gold'] }, {}, 'sign-in'],
  [
    'an acr that the sign-in for this very request did not reach',
    { acrValues: ['gold'], ...signedInHere },
    {},
    'authorize',
  ],
  ['another acr, without a question', { acrValues: ['gold'], prompts: ['none'] }, {}, 'refuse'],
  ['a sign-in that is recent enough', { maxAge: 100 }, {}, 'authorize'],
  ['a more recent sign-in', { maxAge: 99 }, {}, 'sign-in'],
  ['a max_age of 0 right after the sign-in for it', { maxAge: 0, ...signedInHere }, {}, 'authorize'],
  ['a recent one, strong enough', { maxAge: 100, acrValues: ['gold'] }, { acr: 'gold' }, 'authorize'],
  ['a recent one, not strong enough', { maxAge: 100, acrValues: ['gold'] }, { acr: 'silver' }, 'sign-in'],
  ['a strong one, not recent enough', { maxAge: 99, acrValues: ['gold'] }, { acr: 'gold' }, 'sign-in'],
] as const)
  test(`a request for ${what}: ${expected} (OpenID Connect Core §3.1.2.3, RFC 9470 §5)`, (t) => {
    const { kind } = decide(aRequest(request as Partial<PushedAuthorizationRequest>), aSession(session), true, now)
    t.is(kind, expected)
  })
