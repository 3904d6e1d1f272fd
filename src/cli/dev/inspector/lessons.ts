import type { ExchangeKind } from './exchange.js'

/** A requirement of a specification, in our words, and where it stands. */
export interface Requirement {
  readonly text: string
  readonly source: string
  readonly href: string
}

/** What a message is for, and which requirements it fulfils. */
export interface Lesson {
  readonly title: string
  readonly says: string
  readonly requirements: readonly Requirement[]
}

const fapi = (section: string, text: string): Requirement => ({
  text,
  source: `FAPI 2.0 §${section}`,
  href: `https://openid.net/specs/fapi-security-profile-2_0-final.html#section-${section.split('-', 1)[0]}`,
})
const rfc = (number: number, section: string, text: string): Requirement => ({
  text,
  source: `RFC ${number} §${section}`,
  href: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
})
const core = (section: string, text: string): Requirement => ({
  text,
  source: `OpenID Connect §${section}`,
  href: `https://openid.net/specs/openid-connect-core-1_0.html`,
})
const browserApps = (text: string): Requirement => ({
  text,
  source: 'OAuth for browser apps, BFF',
  href: 'https://datatracker.ietf.org/doc/html/draft-ietf-oauth-browser-based-apps',
})

const clientProvesItself = fapi(
  '5.3.2.1-6',
  'The client proves itself with a signed assertion, not with a shared secret.',
)
const audienceIsIssuer = fapi(
  '5.3.2.1-8',
  'Its assertion is for the issuer and nothing else: at another server it is worthless.',
)
const bound = fapi('5.3.2.1-4', 'Access tokens are bound to a key: who steals one cannot use it.')
const seeOther = fapi('5.3.2.2-11', 'The redirect is a 303, so that no form with a password is sent on.')

/** One row for each kind of request. */
export const lessons: Readonly<Record<ExchangeKind, Lesson>> = {
  login: {
    title: 'The page sends the browser to the login',
    says: 'The gateway makes a code verifier, a state, a nonce and a new key for this login, and seals them into a cookie of their own.',
    requirements: [
      fapi('5.3.3.2-4', 'The PKCE challenge is made for this request, and bound to this browser.'),
      fapi('5.3.3.1-12', 'A login begins only by the user, never by another site.'),
    ],
  },
  metadata: {
    title: 'The gateway reads what the server says of itself',
    says: 'Endpoints come from here and from nowhere else; the document has to name the issuer that was configured.',
    requirements: [
      fapi('5.3.2.1-1', 'The server publishes its metadata.'),
      fapi('5.3.3.1-11', 'The issuer in it is the configured one, character by character.'),
    ],
  },
  keys: {
    title: 'Public keys of the authorization server',
    says: 'With them the signatures of access tokens and ID tokens are checked. They are fetched now and then, not for each call.',
    requirements: [fapi('5.4.2', 'Keys are published at jwks_uri, and none of them twice under one name.')],
  },
  par: {
    title: 'The gateway pushes the authorization request',
    says: 'All that is asked for goes from server to server. The browser gets a reference to it, and can change nothing.',
    requirements: [
      fapi('5.3.2.2-2', 'The request is pushed (PAR), by a client that has proven itself.'),
      clientProvesItself,
      audienceIsIssuer,
      fapi('5.3.2.2-5', 'PKCE with S256: only who knows the verifier can use the code.'),
      fapi('5.3.2.1-12', 'The code is bound to the DPoP key before there is a code.'),
    ],
  },
  authorize: {
    title: 'The browser comes to the authorization server',
    says: 'Its address holds a client_id and a reference, nothing else. The user signs in and agrees here; the gateway sees no password.',
    requirements: [
      fapi('5.3.3.2-6', 'Only client_id and request_uri are in the address.'),
      fapi('5.3.2.2-3', 'A request that was not pushed is refused.'),
    ],
  },
  'sign-in': {
    title: 'The user signs in',
    says: 'The password goes to the authorization server only. This page keeps nothing of it.',
    requirements: [seeOther],
  },
  consent: {
    title: 'The user agrees',
    says: 'Who asks and for what is told before anything is given.',
    requirements: [fapi('5.3.2.2-13', 'The user sees which client asks, and for what.'), seeOther],
  },
  callback: {
    title: 'The browser brings the code back',
    says: 'The gateway looks at its own cookie, at state and at iss before it touches the code. In the end there is a session, and no token in the browser.',
    requirements: [
      fapi('5.3.3.2-5', 'The answer names its issuer, and the gateway compares it.'),
      rfc(6749, '10.12', 'state belongs to a login that this browser has begun.'),
      browserApps('Tokens stay in the gateway. The browser gets a cookie that no script can read.'),
    ],
  },
  redeem: {
    title: 'The gateway changes the code into tokens',
    says: 'Three things have to fit together: the client’s assertion, the code verifier, and a proof by the key that the request named.',
    requirements: [
      clientProvesItself,
      rfc(7636, '4.6', 'SHA-256 of the verifier is the challenge that was pushed.'),
      fapi('5.3.2.2-9', 'A code works once. A second use ends the tokens of the first.'),
      fapi('5.3.2.1-11', 'It lives for 60 seconds at most.'),
      bound,
    ],
  },
  refresh: {
    title: 'The gateway gets a fresh access token',
    says: 'Once for all calls that wait, with the same key. The page does not notice.',
    requirements: [
      fapi('5.3.2.1-9', 'The refresh token is not rotated: it is bound to client and key already.'),
      clientProvesItself,
      bound,
    ],
  },
  'client-credentials': {
    title: 'The gateway gets a token of its own',
    says: 'For a route that has to do with no user.',
    requirements: [clientProvesItself, bound],
  },
  userinfo: {
    title: 'The gateway asks who the user is',
    says: 'What is current, with the access token and a proof.',
    requirements: [core('5.3.2', 'sub is the one of the ID token, or the answer does not count.'), bound],
  },
  introspect: {
    title: 'An API asks about a token',
    says: 'Whether it still holds.',
    requirements: [rfc(7662, '2.1', 'Only who has proven itself may ask.')],
  },
  revoke: {
    title: 'The gateway gives a token back',
    says: 'From then on nobody can use it, the gateway neither.',
    requirements: [rfc(7009, '2.1', 'A revoked token ends at once, and with it what came from its grant.')],
  },
  'end-session': {
    title: 'The browser signs out at the authorization server',
    says: 'So that the next login asks for a password again.',
    requirements: [
      {
        text: 'Afterwards the user comes back to a registered address.',
        source: 'RP-Initiated Logout §2',
        href: 'https://openid.net/specs/openid-connect-rpinitiated-1_0.html',
      },
    ],
  },
  logout: {
    title: 'The user signs out',
    says: 'The session’s record is deleted: an old copy of the cookie opens nothing.',
    requirements: [browserApps('A session can be ended at once, in the gateway.')],
  },
  user: {
    title: 'The page asks who is signed in',
    says: 'It learns claims about the user, and never a token.',
    requirements: [browserApps('What the page may know of the user comes from the gateway.')],
  },
  sessions: {
    title: 'The page asks where the user is signed in',
    says: 'Handles, not identifiers: none of them opens a session.',
    requirements: [],
  },
  call: {
    title: 'The page calls an API',
    says: 'With a cookie, and a header that a page of another site cannot add. The gateway drops both before it calls the API.',
    requirements: [
      browserApps('A header of the page’s own keeps other sites out (CSRF).'),
      fapi('5.3.3.1-3', 'No token is in an address or in the page.'),
    ],
  },
  api: {
    title: 'The API gets a token and a proof',
    says: 'The proof is made for this one request: for its method, its address, this token, now. The API takes it once.',
    requirements: [
      fapi('5.3.4-5', 'The API checks that the token’s key is the proof’s key.'),
      rfc(9449, '4.3', 'And the rest of the proof: signature, htm, htu, iat, ath.'),
      rfc(9449, '11.1', 'A proof that was seen before is refused.'),
      fapi('5.3.4-3', 'The token is genuine, current, for this API, and not revoked.'),
      fapi('5.3.3.1-3', 'It comes in the Authorization header.'),
    ],
  },
}

/** What an answer fulfils that leads the browser on. */
export const answerLessons: Readonly<
  Record<'authorization request' | 'authorization response', readonly Requirement[]>
> = {
  'authorization request': [fapi('5.3.3.2-6', 'Only client_id and request_uri go through the browser.')],
  'authorization response': [
    fapi('5.3.2.2-7', 'iss is in the answer: a gateway with several servers cannot be confused (RFC 9207).'),
    fapi('5.3.2.2-1', 'There is a code in it, and no token.'),
    seeOther,
  ],
}
