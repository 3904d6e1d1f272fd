import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'

/**
 * Pages for people answer a person's navigation only, forms too. A script on the issuer's own origin could fetch the
 * consent page otherwise, read its form token and agree in the user's name. Browsers send these fields, and no script can
 * set them (Fetch Metadata Request Headers §2). The destination says enough: a document is never fetched but to be shown. A
 * mode without destination and site is Node's fetch, which is no browser.
 */
export const navigationsOnly: Koa.Middleware = async function navigationsOnly(ctx, next) {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination, 'sec-fetch-site': site } = ctx.headers
  const isMeantForPerson =
    destination === undefined ? site === undefined || mode === 'navigate' : destination === 'document'
  if (!isMeantForPerson)
    throw new ProtocolError('invalid_request', 'this page opens by navigation only, not in a frame and not by a script')
  // What the browser looks at ahead of the person would be used up when the person comes (Sec-Purpose: prefetch).
  if (lookingAhead.some((name) => /prefetch|prerender|preview/i.test(ctx.get(name))))
    throw new ProtocolError('invalid_request', 'this page is not fetched ahead')
  await next()
}

const lookingAhead = ['Sec-Purpose', 'Purpose', 'X-Moz', 'X-Purpose']
