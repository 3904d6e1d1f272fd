import type { Parameter } from './exchange.js'

/** What may be read by who looks over a shoulder: names, addresses, numbers, errors. All that is not here is cut. */
const shownInFull: ReadonlySet<string> = new Set([
  'action',
  'audience',
  'authorization_details',
  'client_assertion_type',
  'client_id',
  'code',
  'code_challenge_method',
  'content-type',
  'detail',
  'dpop_jkt',
  'error',
  'error_description',
  'expires_in',
  'grant_type',
  'iss',
  'location',
  'origin',
  'redirect_uri',
  'resource',
  'response_mode',
  'response_type',
  'returnUrl',
  'scope',
  'sec-fetch-site',
  'status',
  'title',
  'token_type',
  'username',
  'www-authenticate',
  'x-csrf',
])

/** What the others are. */
const kindsOfSecret: Readonly<Record<string, string>> = {
  access_token: 'access token',
  client_assertion: 'client assertion, a JWT that the gateway has signed',
  code_challenge: 'SHA-256 of the code verifier',
  code_verifier: 'code verifier',
  dpop: 'DPoP proof',
  'dpop-nonce': 'nonce for the next proof',
  form_token: 'token of this form',
  id_token: 'ID token',
  id_token_hint: 'ID token',
  nonce: 'random; comes back in the ID token',
  refresh_token: 'refresh token',
  request: 'request object, a JWT that the gateway has signed',
  request_uri: 'reference to the pushed request',
  response: 'signed answer, a JWT of the authorization server',
  state: 'random; comes back in the answer',
  token: 'token',
}

/** @param where An authorization code and an error code share the name `code`, and never a place. */
export function shown(where: Parameter['where'], name: string, value: string): Parameter {
  return { where, name: name.slice(0, 80), value: text(where, name, value) }
}

function text(where: Parameter['where'], name: string, value: string): string {
  if (name === 'password') return 'password: not kept'
  if (name === 'code' && where !== 'json') return begun(value, 'authorization code')
  if (name === 'authorization') {
    const [scheme = '', token = ''] = value.split(' ')
    return `${scheme.slice(0, 12)} ${begun(token, 'access token')}`
  }
  if (shownInFull.has(name)) return value.slice(0, 300)
  return begun(value, kindsOfSecret[name])
}

/** At most six characters, and never a quarter of it. */
function begun(value: string, kind = 'not shown'): string {
  const prefix = /^urn:[a-z:_-]+:/.exec(value)?.[0] ?? ''
  const rest = value.slice(prefix.length)
  return `${prefix}${rest.slice(0, Math.min(6, Math.floor(rest.length / 5)))}… (${kind}, ${value.length} characters)`
}

/** Of cookies, their names. */
export function cookieNames(header: string): string {
  return header
    .split(';')
    .map((pair) => pair.split('=', 1)[0]?.trim())
    .join(', ')
    .slice(0, 300)
}

/** Name and attributes of a cookie that is set; whether it is taken away. */
export function setCookie(header: string): string {
  const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
  const name = pair.split('=', 1)[0] ?? ''
  const isTakenAway = attributes.some((attribute) => /^max-age=0$|^expires=thu, 01 jan 1970/i.test(attribute))
  return isTakenAway
    ? `${name}: taken away`
    : [name, ...attributes.filter((part) => !/^expires/i.test(part))].join('; ')
}
