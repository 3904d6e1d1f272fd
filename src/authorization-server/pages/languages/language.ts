import { preferredLanguage } from '../../../http/preferred-language.js'
import { de } from './de.js'
import { en } from './en.js'
import { fr } from './fr.js'
import type { Texts } from './texts.js'

const languages: readonly [Texts, ...Texts[]] = [en, de, fr]

export const supportedLocales: readonly string[] = languages.map(({ language }) => language)

export function chooseLanguage(uiLocales: readonly string[], acceptLanguage: string | undefined): Texts {
  return preferredLanguage(languages, uiLocales, acceptLanguage)
}
