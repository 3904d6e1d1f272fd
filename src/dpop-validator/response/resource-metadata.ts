import type { Answer } from './challenge.js'

/** What this API says of itself (RFC 9728 §2). */
export interface ResourceOptions {
  /** What it is called, for people. */
  readonly name?: string
  /** URL of a page for developers. */
  readonly documentation?: string
  /** Scopes a client may ask for. */
  readonly scopes?: readonly string[]
}

export interface ResourceMetadata {
  /** Where it is, from outside: what challenges name. */
  readonly url: string
  /** Whether a request is for it. */
  isAt(path: string, method: string): boolean
  readonly answer: Answer
}

const wellKnown = '/.well-known/oauth-protected-resource'

/** Tells clients how to call this API. @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3 RFC 9728 §3} */
export function createResourceMetadata(
  resource: string,
  issuers: readonly string[],
  audiences: readonly string[],
  algorithms: readonly string[],
  takes: { readonly dpop: boolean; readonly bearer: boolean },
  { name, documentation, scopes }: ResourceOptions,
): ResourceMetadata {
  const { origin, pathname } = new URL(resource)
  const path = `${wellKnown}${pathname === '/' ? '' : pathname}`
  const document = {
    resource,
    authorization_servers: issuers,
    bearer_methods_supported: ['header'],
    ...(takes.dpop && { dpop_signing_alg_values_supported: algorithms }),
    dpop_bound_access_tokens_required: takes.dpop && !takes.bearer,
    ...(scopes !== undefined && { scopes_supported: scopes }),
    ...(name !== undefined && { resource_name: name }),
    ...(documentation !== undefined && { resource_documentation: documentation }),
    // Not in any RFC: `aud` need not be a URL, and `sallyport check` compares it with what tokens will hold.
    accepted_audiences: audiences,
  }
  return {
    url: `${origin}${path}`,
    isAt: (requested, method) => requested === path && (method === 'GET' || method === 'HEAD'),
    answer: {
      status: 200,
      headers: {
        'Content-Type': 'application/json',
        'Cache-Control': 'public, max-age=3600',
        'Access-Control-Allow-Origin': '*',
      },
      body: JSON.stringify(document),
    },
  }
}
