import { de } from './de.js'
import { en } from './en.js'
import { fr } from './fr.js'
import type { Texts } from './texts.js'

const languages: readonly Texts[] = [en, de, fr]

export const supportedLocales: readonly string[] = languages.map(({ language }) => language)

/** What the client asked for by `ui_locales`, else what the browser prefers, else English. */
export function chooseLanguage(uiLocales: readonly string[], acceptLanguage: string | undefined): Texts {
  for (const locale of [...uiLocales, ...preferred(acceptLanguage ?? '')]) {
    const [primary = ''] = locale.toLowerCase().split('-')
    const known = languages.find(({ language }) => language === primary)
    if (known !== undefined) return known
  }
  return en
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4 RFC 9110 §12.5.4} */
function preferred(header: string): readonly string[] {
  return header
    .slice(0, 256)
    .split(',')
    .map((item) => {
      const [range = '', ...parameters] = item.split(';').map((part) => part.trim())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return { range, quality: weight === undefined ? 1 : Number(weight.slice(2)) || 0 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((left, right) => right.quality - left.quality)
    .map(({ range }) => range)
}
