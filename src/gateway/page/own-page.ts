import type { IncomingMessage } from 'node:http'
import { type Page, pageHeaders, renderPage } from '../../http/page.js'
import { preferredLanguage } from '../../http/preferred-language.js'
import type { Branding } from '../options.js'
import { de } from './languages/de.js'
import { en } from './languages/en.js'
import { fr } from './languages/fr.js'
import type { PageTexts } from './languages/page-texts.js'

/** By `ui_locales` of the request, for a login has it, else by what the browser prefers. */
export function textsFor({ url = '', headers }: IncomingMessage): PageTexts {
  const [, locales = ''] = /[?&]ui_locales=([\w%+-]{1,256})/.exec(url) ?? []
  return preferredLanguage([en, de, fr], locales.split(/%20|\+/), headers['accept-language'])
}

export interface OwnPage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A page of the gateway's own, with the operator's brand. */
export function ownPage(
  { language }: PageTexts,
  { name, theme }: Branding,
  { script, ...page }: Pick<Page, 'title' | 'content' | 'head' | 'script'>,
): OwnPage {
  const themed = theme !== undefined && { theme }
  return {
    headers: { ...pageHeaders({ ...themed, script }), Vary: 'Accept-Language' },
    body: renderPage({
      language,
      ...page,
      ...(script !== undefined && { script }),
      ...(name !== undefined && { brand: name }),
      ...themed,
    }),
  }
}
