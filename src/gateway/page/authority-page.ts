import { type Html, html } from '../../http/page.js'
import type { AuthorityName } from '../authorities/authorities.js'
import type { EndpointContext } from '../session/koa-session.js'
import { ownPage, textsFor } from './own-page.js'

export interface AuthorityChoice {
  /** Name of the one that was chosen last. */
  readonly last: string | undefined
  /** What chooses one. @param look of a button: its class */
  readonly entry: (authority: AuthorityName, look: string, text: Html) => Html
}

/** Asks the person where to sign in: the one of last time first, all others in the order of the configuration. */
export function authorityPage(ctx: EndpointContext, { last, entry }: AuthorityChoice): void {
  const { frontend } = ctx.state.call
  const texts = textsFor(ctx.req)
  const names = (frontend.authorities?.all ?? []).flatMap(({ authority }) => authority ?? [])
  const [known, others] = [names.filter(({ name }) => name === last), names.filter(({ name }) => name !== last)]
  const { headers, body } = ownPage(texts, frontend.branding ?? {}, {
    title: texts.chooseAuthority,
    content: html`<h1 id="choose">${texts.chooseAuthority}</h1>
<nav aria-labelledby="choose">
${known.map((authority) => entry(authority, 'button', html`${authority.displayName} (${texts.lastTime})`))}
${others.map((authority) => entry(authority, 'button quiet', html`${authority.displayName}`))}
</nav>
<p class="note small"><a href="${frontend.home}">${texts.back}</a></p>`,
  })
  // 'no-referrer' would make the Origin of a form "null". Nothing of the address is a secret.
  ctx.set({ ...headers, 'Referrer-Policy': 'same-origin' })
  ctx.body = body
}
