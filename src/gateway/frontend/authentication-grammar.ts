/* How parameters of an authorization request and demands on a sign-in are written: in a file, a link, a challenge. */

/** Characters of all values of `acr_values` together: it has to fit into links and cookies. */
const maxAcrValues = 256

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#appendix-A RFC 6749, appendix A}, `name-char` */
export function isParameterName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text)
}

/** Values of `acr` with single spaces between them. */
export function isAcrValues(text: string): boolean {
  return text.length <= maxAcrValues && /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(text)
}

/** Seconds, as `max_age` is written. */
export function isMaxAge(text: string): boolean {
  return /^\d{1,9}$/.test(text)
}

const ofEachLogin = 'Leave it out: the gateway sets it for each login.'

/** What is the gateway's own to say, and where it comes from. */
const protocolParameters: Readonly<Record<string, string>> = {
  client_id: 'Write ClientId.',
  client_secret: 'Write ClientSecret, if the server needs one.',
  client_assertion: ofEachLogin,
  client_assertion_type: ofEachLogin,
  redirect_uri: 'Leave it out: it follows from PublicUrl and PathPrefix.',
  response_type: 'Leave it out: it is "code".',
  response_mode: 'Write ResponseMode.',
  scope: 'Write Scopes.',
  resource: 'Write Resource of a route.',
  state: ofEachLogin,
  nonce: ofEachLogin,
  code: ofEachLogin,
  code_challenge: ofEachLogin,
  code_challenge_method: ofEachLogin,
  code_verifier: ofEachLogin,
  dpop_jkt: ofEachLogin,
  grant_type: ofEachLogin,
  request: 'Write "UseSignedRequests": true.',
  request_uri: 'Leave it out: the request is pushed.',
  registration: 'Leave it out: the client is registered at the authorization server.',
}

/** What to do instead of setting a parameter of the protocol; undefined for any other. Some servers overlook case. */
export function insteadOfParameter(name: string): string | undefined {
  const lower = name.toLowerCase()
  return Object.hasOwn(protocolParameters, lower) ? protocolParameters[lower] : undefined
}
