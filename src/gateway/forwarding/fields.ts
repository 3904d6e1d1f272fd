import { coveredBy, decidedOnce, type FieldRule } from './field-rules.js'
import { hopByHop } from './headers.js'

/* Which header fields pass through the gateway: up from the browser, down from the API. */

/**
 * What a browser has no business telling an API through us: behind a gateway an API takes these for the gateway's words.
 * `x-` and `http-` in front of a name make no difference, and are left out here.
 */
export const refusedFromBrowser: readonly FieldRule[] = [
  {
    fields: `forwarded* *-forwarded-* original-* real-* remote* proxy proxy-* client-ip *-ip *-ips ip *clientip realip *-addr
      client-addr* *-client-addr* true-client-* host *-host *-port port *-proto proto scheme url-scheme https *-https url uri
      *-uri request-url request-path script-name path-info matched-path path-prefix base-path`,
    because: 'where the request comes from, and where it was sent',
  },
  {
    fields: `user* *-user *-username *-userid *-user-* userinfo preferred-username uid login email email-* *-email subject
      subject-* sub principal *-principal *-principal-* identity identity-* *-identity role roles role-* *-roles group groups
      *-groups scope scopes scope-orgid permission permissions entitlements claim-* claims *-claims *-claim-* consumer-*
      anonymous-consumer impersonate-* on-behalf-of admin admin-* is-admin internal internal-* trusted trusted-* verified
      verified-* *msisdn`,
    because: 'who the user is, and what they may do',
  },
  {
    fields: `auth auth-* authn* authz* authenticat* authorization* *-authorization credential* dpop dpop-* token token-*
      access-token *-access-token id-token *-id-token refresh-token *-refresh-token identity-token bearer bearer-* jwt jwt-*
      *-jwt *-jwt-* *-assertion`,
    because: 'credentials that are not the ones we add',
  },
  {
    fields: `*client-cert* *clientcert* client-verif* *-client-verif* client-dn client-*-dn *-dn client-san client-subject*
      client-issuer* client-serial* client-fingerprint* client-ssl* client-tls* cert cert-* *-cert certificate certificate-*
      ssl* *-ssl *-ssl-* tls tls-* mtls* *-mtls-* spiffe-*`,
    because: 'which certificate the client has shown',
  },
  {
    fields: `akamai-* amzn-* appengine-* arr-* authelia-* authentik-* azure-* bff-* cas-* cf-* cloudflare-* cloudfront-* envoy-*
      eppn fastly-* fly-* gatekeeper-* goog-* gssapi-* istio-* iv-* keycloak-* kong-* krb5-* ldap-* mellon-* ms-client-principal*
      ms-token-* nf-* nginx-* ngrok-auth-* oam-* oauth oauth-* oauth2-* oidc-* okta-* openid-* osso-* pomerium-* replit-* saml-*
      shib-* shibboleth-* siteminder-* sm-* smuser sso-* tailscale-* teleport-* traefik-* tyk-* vercel-* vouch-* webauth-* wl-*
      sec-websocket-bff-*`,
    because: 'what a product in front of an API writes for it',
  },
  {
    fields: `*-override *-override-* rewrite-* method verb tunnel-method middleware-* invoke-* accel-* sendfile-* reproxy-*
      lighttpd-* litespeed-* surrogate-* csrf`,
    because: 'another method or address than the one decided on; how to answer a proxy; what is for us only',
  },
]

/** Named by a family above, and of another kind: browsers and gRPC-Web write them. */
const passesNevertheless = new Set(['sec-fetch-user', 'user-agent', 'x-user-agent'])

/** CGI, WSGI and PHP read `X_Forwarded_User`, `X.Forwarded.User` and `X-Forwarded-User` as one name. */
const plainName = /^[a-z0-9-]+$/
const isRefusedFromBrowser = coveredBy(refusedFromBrowser)

/** Whether a field of the browser's may go up, by its name in lower case. */
export const mayGoUp = decidedOnce((name: string): boolean => {
  if (!plainName.test(name) || hopByHop.has(name)) return false
  return passesNevertheless.has(name) || !isRefusedFromBrowser(name.replace(/^(?:x-|http-)+/, ''))
})

/**
 * What an API may not say through us. An answer speaks for itself: not for the frontend's whole origin, and not to the
 * server in front of us, which takes what we send for our own word.
 */
export const refusedFromUpstream: readonly FieldRule[] = [
  {
    fields: `x-accel-* x-sendfile* x-send-file* x-lighttpd-* x-litespeed-* x-reproxy-* x-envoy-* x-hiawatha-* x-akamai-*
      akamai-* x-proxy-* x-internal-redirect*`,
    because: 'an order for the proxy in front: send a file, ask another address, keep or drop something',
  },
  {
    fields: `alt-svc alternate-protocol strict-transport-security public-key-pins* expect-ct clear-site-data
      service-worker-allowed nel report-to reporting-endpoints accept-ch* critical-ch origin-agent-cluster
      use-as-dictionary set-login set-cookie2 sec-session-* secure-session-* activate-storage-access`,
    because: 'a browser keeps it for the whole origin, and after this answer',
  },
  {
    fields: 'access-control-* dpop-nonce authentication-info x-bff-*',
    because: 'ours to say: which pages may read it, what concerns the token, signals to the page',
  },
  { fields: 'server x-powered-by', because: 'what the API is made of' },
]

/** What tells caches on the way to keep an answer, whatever `Cache-Control` says (RFC 9213, and what was there before). */
export const refusedBesidePersonal: readonly FieldRule[] = [
  {
    fields: `*-cache-control surrogate-* edge-* cdn-* *-cdn-* cache-tag* *-cache-tag* xkey x-key x-cache-* *-ttl *-expires
      expires pragma`,
    because: 'a shared cache obeys it before Cache-Control',
  },
]

export type FieldDecision =
  | 'passes'
  | 'refused'
  /** Passes, but not beside what is for one person. */
  | 'for caches'

const isRefusedFromUpstream = coveredBy(refusedFromUpstream)
const isForCaches = coveredBy(refusedBesidePersonal)

/** About a field of an upstream's answer or of its trailers, by its name in lower case. */
export const decideResponseField = decidedOnce((name: string): FieldDecision => {
  // Servers that read fields as variables take `X_Accel_Redirect` for `X-Accel-Redirect`.
  const plain = name.replace(/[^a-z0-9]/g, '-')
  if (hopByHop.has(name) || isRefusedFromUpstream(plain)) return 'refused'
  return isForCaches(plain) ? 'for caches' : 'passes'
})
