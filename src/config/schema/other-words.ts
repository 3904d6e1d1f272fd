/** What the original, or another gateway, calls a setting. */
export interface OtherWord {
  /** What has its place here. Absent where nothing has. */
  readonly meant: string | undefined
  readonly remedy: string
}

/** Settings that have no meaning here, and why. */
const needless: Readonly<Record<string, string>> = {
  CsrfHmacKey: 'Leave it out: calls carry the header `X-CSRF: 1`, and there is no token to sign.',
  LoginPath: 'Leave it out: a page sends the browser to `{PathPrefix}/bff/login`.',
  ClientSide: 'Leave it out: nothing depends on it.',
  SessionCookieName: 'Leave it out: the cookie is always `__Host-Http-bff-{Name}`.',
  CookieName: 'Leave it out: the cookie is always `__Host-Http-bff-{Name}`.',
  RedirectUri: 'Leave it out: it is always `{PublicUrl}{PathPrefix}/bff/callback`.',
  ReverseProxy: 'Write `Routes` in the frontend instead.',
  UseReferenceTokens: 'Leave it out: access tokens are signed, short-lived and bound to a key.',
  RequireTokenBinding: 'Use `Authentication.OpenIddict.RequireDPoP`.',
  EnableReplayProtection: 'Leave it out: a proof is never accepted twice.',
  AllowEphemeralKeys: 'Leave it out: keys are made at first start and kept in `Server.StateDirectory`.',
}

/** Words for what has another name here: the first of these that the section knows. */
export const named: Readonly<Record<string, readonly string[]>> = {
  Audience: ['Resource'],
  Destination: ['Upstreams'],
  Host: ['Listen'],
  IdleTimeout: ['SessionDuration', 'KeepAliveTimeout'],
  Issuer: ['Authority'],
  IssuerUrl: ['Authority'],
  Origin: ['PublicUrl', 'Origins'],
  Port: ['Listen'],
  Prefix: ['Path', 'PathPrefix'],
  Provider: ['Authority'],
  Proxy: ['Upstreams'],
  Root: ['StaticFilesPath'],
  SessionTimeout: ['SessionDuration'],
  Target: ['Upstreams'],
  Url: ['Upstreams', 'PublicUrl'],
}

/** @param known names of the settings of this section */
export function otherWord(name: string, known: readonly string[]): OtherWord | undefined {
  const why = spelt(needless, name)
  if (why !== undefined) return { meant: undefined, remedy: why }
  const meant = spelt(named, name)?.find((candidate) => known.includes(candidate))
  return meant === undefined ? undefined : { meant, remedy: `It is called "${meant}" here.` }
}

/** In any case: who writes `port` means `Port`. */
function spelt<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  const word = Object.keys(table).find((key) => key.toLowerCase() === name.toLowerCase())
  return word === undefined ? undefined : table[word]
}
