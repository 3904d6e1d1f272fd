import { html } from '../../http/page.js'
import type { EndpointContext } from '../session/koa-session.js'
import { ownPage, textsFor } from './own-page.js'

/** A page that goes on by itself, where a redirect would not do. @param url escaped, as `URL` writes it */
export function oneMoment(ctx: EndpointContext, url: string): void {
  const texts = textsFor(ctx.req)
  const { headers, body } = ownPage(texts, ctx.state.call.frontend.branding ?? {}, {
    title: texts.oneMoment,
    content: html`<h1>${texts.oneMoment}</h1><p><a href="${url}">${texts.goOn}</a></p>`,
  })
  ctx.set({ ...headers, Refresh: `0; url=${url}` })
  ctx.body = body
}

/** The last page of a window that a frame has opened. It goes by itself where the browser lets it. */
export function lastPageOfWindow(ctx: EndpointContext): void {
  const texts = textsFor(ctx.req)
  const { headers, body } = ownPage(texts, ctx.state.call.frontend.branding ?? {}, {
    title: texts.signedIn,
    content: html`<h1>${texts.signedIn}</h1><p>${texts.closeWindow}</p>`,
    script: 'window.close()',
  })
  ctx.set(headers)
  ctx.body = body
}
