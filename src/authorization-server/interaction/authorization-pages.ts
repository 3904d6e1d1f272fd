import type Koa from 'koa'
import { unreachable } from '../../errors.js'
import { redirectSources } from '../../http/policy-source.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import type { ClientOptions } from '../options.js'
import type { Texts } from '../pages/languages/texts.js'
import type { PageResponse } from '../pages/page-response.js'
import { formToken, type SecretCookie } from '../sign-in/cookies.js'
import type { SignInSession } from '../sign-in/sign-in-session.js'
import type { AuthorizationDetails } from '../tokens/authorization-details.js'
import type { Interactions, OpenRequest } from './interaction.js'

/** The pages between an authorization request and its answer. */
export interface AuthorizationPages {
  /** @param problem Why it is shown again. */
  signIn(ctx: Koa.Context, page: SignInForm): Promise<void>
  consent(ctx: Koa.Context, open: OpenRequest, session: SignInSession): Promise<void>
}

export interface SignInForm {
  readonly open: OpenRequest
  /** The existing session, although the user has to sign in. */
  readonly session: SignInSession | undefined
  readonly username: string
  /** Why the form is shown again. */
  readonly problem?: SignInProblem
}

export type SignInProblem =
  | { readonly kind: 'failed' }
  /** Seconds until the next try. */
  | { readonly kind: 'limited'; readonly retryAfter: number }
  /** The same, because many people sign in at once. */
  | { readonly kind: 'busy'; readonly retryAfter: number }

export interface AuthorizationPagesOptions {
  readonly urls: EndpointUrls
  readonly browserCookie: SecretCookie
  readonly interactions: Interactions
  readonly response: PageResponse
  /** What scopes are called, by name. */
  readonly scopeNames: ReadonlyMap<string, string>
  readonly authorizationDetails: AuthorizationDetails
}

export function createAuthorizationPages({
  urls,
  browserCookie,
  interactions,
  response,
  scopeNames,
  authorizationDetails,
}: AuthorizationPagesOptions): AuthorizationPages {
  /** Where the form goes and what it carries; from here on this browser has time to answer. */
  const formOf = async (ctx: Koa.Context, open: OpenRequest, session: SignInSession | undefined) => {
    const browser = browserCookie.read(ctx) ?? browserCookie.issue(ctx)
    await interactions.opened(open, browser)
    return {
      action: urls.authorization.pathname,
      fields: {
        client_id: open.client.clientId,
        request_uri: open.requestUri,
        form_token: formToken(browser, open.requestUri, session?.sid ?? ''),
      },
    }
  }
  const scopeName = (name: string, { scopes }: Texts): string =>
    scopeNames.get(name) ?? (Object.hasOwn(scopes, name) ? (scopes[name] ?? name) : name)

  return {
    async signIn(ctx, { open, session, username, problem }) {
      const texts = response.texts(ctx, open.request.uiLocales)
      const page = response.pages.signIn({
        ...(await formOf(ctx, open, session)),
        texts,
        client: nameOf(open.client),
        username,
        ...(problem !== undefined && { problem: problemText(problem, texts) }),
      })
      if (problem !== undefined && 'retryAfter' in problem) ctx.set('Retry-After', String(problem.retryAfter))
      response.show(ctx, texts, page, statusOf(problem), redirectSources(open.client.redirectUris))
    },

    async consent(ctx, open, session) {
      const { redirectUri, scopes, target, uiLocales, authorizationDetails: details = [] } = open.request
      const texts = response.texts(ctx, uiLocales)
      const page = response.pages.consent({
        ...(await formOf(ctx, open, session)),
        texts,
        client: nameOf(open.client),
        username: session.username,
        host: new URL(redirectUri).host,
        scopes: scopes.map((name) => ({ name, displayName: scopeName(name, texts) })),
        details: details.map((detail) => ({ type: detail.type, text: authorizationDetails.described(detail) })),
        resources: target.resources,
      })
      response.show(ctx, texts, page, 200, redirectSources(open.client.redirectUris))
    },
  }
}

function statusOf(problem: SignInProblem | undefined): 200 | 429 | 503 {
  switch (problem?.kind) {
    case undefined:
    case 'failed':
      return 200
    case 'limited':
      return 429
    case 'busy':
      return 503
    default:
      return unreachable(problem)
  }
}

function problemText(problem: SignInProblem, texts: Texts): string {
  switch (problem.kind) {
    case 'failed':
      return texts.wrongCredentials
    case 'limited':
      return texts.limited(Math.ceil(problem.retryAfter / 60))
    case 'busy':
      return texts.busy
    default:
      return unreachable(problem)
  }
}

function nameOf({ clientId, displayName = clientId }: ClientOptions): string {
  return displayName
}
