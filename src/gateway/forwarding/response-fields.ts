import { coveredBy, decidedOnce, type FieldRule } from './field-rules.js'
import { hopByHop } from './headers.js'

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

const isRefused = coveredBy(refusedFromUpstream)
const isForCaches = coveredBy(refusedBesidePersonal)

/** About a field of an upstream's answer or of its trailers, by its name in lower case. */
export const decideResponseField = decidedOnce((name: string): FieldDecision => {
  // Servers that read fields as variables take `X_Accel_Redirect` for `X-Accel-Redirect`.
  const plain = name.replace(/[^a-z0-9]/g, '-')
  if (hopByHop.has(name) || isRefused(plain)) return 'refused'
  return isForCaches(plain) ? 'for caches' : 'passes'
})
