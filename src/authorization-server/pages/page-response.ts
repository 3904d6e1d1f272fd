import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { html, pageHeaders, renderPage } from '../../http/page.js'
import { policySource } from '../../http/policy-source.js'
import { identityOf } from '../endpoints/identified-request.js'
import { refused } from '../endpoints/oauth-error.js'
import type { Branding } from '../options.js'
import { CookieNotKept } from '../sign-in/cookies.js'
import { chooseLanguage } from './languages/language.js'
import type { Texts } from './languages/texts.js'
import { pages as defaultPages, type PageContent, type Pages } from './pages.js'

/** How the server shows pages: in the user's language, with the operator's brand, under headers that let nothing in. */
export interface PageResponse {
  readonly pages: Pages
  texts(ctx: Koa.Context, uiLocales?: readonly string[]): Texts
  /** @param formAction Origins that the page's form may end at, by way of redirects. */
  show(ctx: Koa.Context, texts: Texts, page: PageContent, status?: number, formAction?: readonly string[]): void
  /** @param frames URLs of clients that the page has hidden frames of */
  showWithFrames(ctx: Koa.Context, texts: Texts, page: PageContent, frames: readonly string[]): void
}

export function createPageResponse({ name, theme, pages }: Branding = {}): PageResponse {
  const brand = { ...(name !== undefined && { brand: name }), ...(theme !== undefined && { theme }) }
  return {
    pages: { ...defaultPages, ...pages },
    texts: (ctx, uiLocales = []) => chooseLanguage(uiLocales, ctx.get('Accept-Language')),
    show(ctx, { language }, { title, content }, status = 200, formAction = []) {
      ctx.status = status
      ctx.set(pageHeaders({ formAction, ...(theme !== undefined && { theme }) }))
      ctx.set('Vary', 'Accept-Language, Cookie')
      ctx.body = renderPage({ language, title, content, ...brand })
    },
    showWithFrames(ctx, { language }, { title, content }, frames) {
      const frameSources = [...new Set(frames.map((url) => policySource(new URL(url))))]
      ctx.status = 200
      ctx.set(pageHeaders({ frameSources, ...(theme !== undefined && { theme }) }))
      ctx.set('Vary', 'Accept-Language, Cookie')
      // Whatever an operator's own page looks like, the frames are in it.
      const whole = html`${content}${frames.map((url) => html`<iframe src="${url}" title="" hidden></iframe>`)}`
      ctx.body = renderPage({ language, title, content: whole, ...brand })
    },
  }
}

/** The outermost step of every endpoint that users see: errors become pages. */
export function errorPages(endpoint: string, response: PageResponse): Koa.Middleware {
  return async function errorPages(ctx, next) {
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Referrer-Policy', 'no-referrer')
    try {
      await next()
    } catch (error) {
      const { status, document, retryAfter } = refused(ctx, error, endpoint)
      const texts = response.texts(ctx)
      const { requestId } = identityOf(ctx)
      const { error: code, error_description: description } = document
      // 401 would call for a challenge, and a browser has no answer to one.
      const shown = error instanceof ProtocolError ? 400 : status
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
      const notKept = error instanceof CookieNotKept && { advice: texts.cookieNotKept }
      response.show(ctx, texts, response.pages.error({ texts, code, description, requestId, ...notKept }), shown)
    }
  }
}

/** 303: whatever was posted here is not posted there (FAPI 2.0 §5.3.2.2-11). */
export function seeOther(ctx: Koa.Context, location: string): void {
  ctx.status = 303
  ctx.set('Location', location)
  ctx.body = ''
  ctx.remove('Content-Type')
}

/** Appends to a URI exactly as it was registered. */
export function withParameters(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.append(name, value)
  return search.size === 0 ? uri : `${uri}${uri.includes('?') ? '&' : '?'}${search}`
}
