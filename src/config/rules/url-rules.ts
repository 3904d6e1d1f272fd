import { mayBeSameSite } from '../../gateway/frontend/frontend-grammar.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { type FrontendPlan, isTakenFor } from '../resolve/frontend-plan.js'
import type { Plan } from '../resolve/resolved.js'
import { problem, type Rule } from './rule.js'

export const urlRules: readonly Rule[] = [
  function* publicUrlsAreOrigins({ frontends }) {
    for (const { url, pointer } of publicUrlsOf(frontends)) {
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
        yield problem(
          pointer,
          'is more than an origin',
          `Write "${url.origin}", and the path as the frontend's PathPrefix.`,
        )
      if (!isSecureUrl(url))
        yield problem(
          pointer,
          'is plain http: over it everyone on the network could read and set the session cookie',
          /^(?:0\.0\.0\.0|\[::\])$/.test(url.hostname)
            ? `Write "http://localhost${url.port && `:${url.port}`}" for this machine, or the https origin that browsers see.`
            : `Write "https://${url.host}". http is for localhost only.`,
        )
    }
  },

  function* otherUrlsAreSafe({ bff, frontends }) {
    const urls = [
      { value: bff?.Authority, pointer: '/Bff/Authority', isOrigin: false },
      ...frontends.flatMap(({ pointer, settings }) => [
        { value: settings.Authority, pointer: `${pointer}/Authority`, isOrigin: false },
        { value: settings.ClientUrl ?? undefined, pointer: `${pointer}/ClientUrl`, isOrigin: true },
        { value: settings.DevelopmentServer ?? undefined, pointer: `${pointer}/DevelopmentServer`, isOrigin: true },
        ...(settings.Cors?.Origins ?? []).map((value, index) => ({
          value,
          pointer: `${pointer}/Cors/Origins/${index}`,
          isOrigin: true,
        })),
      ]),
    ]
    for (const { value, pointer, isOrigin } of urls) {
      const url = value === undefined ? undefined : new URL(value)
      if (url !== undefined && !isSecureUrl(url))
        yield problem(
          pointer,
          'is plain http',
          `Write "https://${url.host}${url.pathname}". http is for localhost only.`,
        )
      if (url !== undefined && (url.search !== '' || url.hash !== ''))
        yield problem(pointer, 'has a query or a fragment', `Write "${url.origin}${url.pathname}".`)
      if (url !== undefined && isOrigin && url.pathname !== '/')
        yield problem(pointer, 'is more than an origin', `Write "${url.origin}".`)
    }
  },

  function* hostsFitThePublicUrl({ frontends }) {
    for (const { pointer, settings, publicUrl } of frontends)
      if (settings.Hosts?.length && publicUrl !== undefined && !settings.Hosts.includes(publicUrl.host))
        yield problem(
          `${pointer}/Hosts`,
          `does not have ${publicUrl.host}, where the authorization server sends browsers back to`,
          `Add "${publicUrl.host}", or give the frontend a PublicUrl of its own.`,
        )
  },

  function* authoritiesAreIssuers({ bff, frontends, sampleApi, authorizationServer }) {
    const named = [
      ...writtenAuthorities(bff, frontends),
      { value: authorizationServer?.settings.Issuer, pointer: `${authorizationServer?.pointer}/Issuer` },
      { value: sampleApi?.settings.OpenIddict.Issuer, pointer: '/Authentication/OpenIddict/Issuer' },
    ]
    for (const { value, pointer } of named) {
      const issuer = value === undefined ? undefined : issuerMeantBy(value)
      if (issuer !== undefined)
        yield problem(
          pointer,
          `is the URL of ${issuer.what}, not the issuer identifier`,
          `Write "${issuer.identifier}", or what the discovery document says as "issuer".`,
        )
    }
  },

  function* anAuthorityIsTheIssuerToTheLetter({ bff, frontends, authorizationServer }) {
    const issuer = authorizationServer?.settings.Issuer
    if (issuer === undefined) return
    for (const { value, pointer } of writtenAuthorities(bff, frontends))
      if (value !== undefined && value !== issuer && isTakenFor(value, issuer))
        yield problem(
          pointer,
          `is not the Issuer of ${authorizationServer?.pointer}, character by character`,
          `Write "${issuer}", or leave it out: the embedded server is what it is without it.`,
        )
  },

  function* anAuthorityIsAnotherServer({ bff, clients, authorizationServer }) {
    if (authorizationServer !== undefined) return
    for (const { pointer, settings, authority, publicUrl } of clients)
      if (
        authority !== undefined &&
        publicUrl !== undefined &&
        new URL(authority).origin === publicUrl.origin &&
        new URL(authority).pathname === '/'
      )
        yield problem(
          settings.Authority === undefined && bff?.Authority !== undefined ? '/Bff/Authority' : `${pointer}/Authority`,
          "is this gateway's own address, and there is no authorization server in this file",
          'Write the issuer identifier of your authorization server, or add the section "OpenIddict" for the embedded one.',
        )
  },

  function* pagesAreOnTheSameSite({ frontends }) {
    for (const { pointer, settings, publicUrl } of frontends) {
      const page = settings.ClientUrl ?? undefined
      if (page !== undefined && publicUrl !== undefined && !mayBeSameSite(new URL(page), publicUrl))
        yield problem(
          `${pointer}/ClientUrl`,
          `is on another site than ${publicUrl.origin}: the session cookie is SameSite=Strict, and no call of that page would have it`,
          'Put both below one domain with one scheme, as in https://www.example.com and https://api.example.com, or serve the page here (StaticFilesPath, DevelopmentServer).',
        )
    }
  },
]

/** Wherever the file may name one for logins. */
function writtenAuthorities(bff: Plan['bff'], frontends: readonly FrontendPlan[]) {
  return [
    { value: bff?.Authority, pointer: '/Bff/Authority' },
    ...frontends.flatMap(({ pointer, settings: { Authority, Authorities = [] } }) => [
      { value: Authority, pointer: `${pointer}/Authority` },
      ...Authorities.map((one, index) => ({
        value: one.Authority,
        pointer: `${pointer}/Authorities/${index}/Authority`,
      })),
    ]),
  ]
}

/** Each once: several frontends may have it from one place. */
function publicUrlsOf(frontends: readonly FrontendPlan[]): Iterable<{ readonly url: URL; readonly pointer: string }> {
  const found = new Map<string, { readonly url: URL; readonly pointer: string }>()
  for (const { publicUrl, publicUrlPointer } of frontends)
    if (publicUrl !== undefined) found.set(publicUrlPointer, { url: publicUrl, pointer: publicUrlPointer })
  return found.values()
}

/** What servers have below their issuer identifier, and people find first. */
const belowAnIssuer: readonly (readonly [RegExp, string])[] = [
  [/\/\.well-known\/openid-configuration\/?$/i, 'a discovery document'],
  [/\/\.well-known\/oauth-authorization-server(?=\/|$)/i, 'a discovery document'],
  [/\/protocol\/openid-connect(?:\/.*)?$/i, "Keycloak's endpoints"],
  [/\/(?:connect|oauth2?)(?:\/v\d[^/]*)?\/(?:authorize|token|par|userinfo|jwks|introspect|revoke)\/?$/i, 'an endpoint'],
]

function issuerMeantBy(value: string): { readonly identifier: string; readonly what: string } | undefined {
  const { origin, pathname } = new URL(value)
  for (const [below, what] of belowAnIssuer)
    if (below.test(pathname)) return { identifier: origin + pathname.replace(below, ''), what }
  return undefined
}
