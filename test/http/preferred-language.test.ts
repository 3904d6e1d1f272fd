import test from 'ava'
import { preferredLanguage } from '../../src/http/preferred-language.js'

interface Texts {
  readonly language: string
}
const texts: readonly [Texts, ...Texts[]] = [{ language: 'en' }, { language: 'de' }, { language: 'fr' }]

test('the language is the first of ui_locales that there is, else the one the browser weighs most', (t) => {
  const rows: readonly (readonly [readonly string[], string | undefined, string])[] = [
    [[], undefined, 'en'],
    [[], '', 'en'],
    [[], '*', 'en'],
    [[], 'it, de-AT;q=0.8, en;q=0.5', 'de'],
    [[], 'en;q=0.5, fr', 'fr'],
    [[], 'FR-ca', 'fr'],
    // RFC 4647 §3.4: each range is looked up by itself and then without its subtags.
    [[], 'de-CH, en;q=0.9, de;q=0.8', 'de'],
    [[], 'de;q=0, fr;q=0.1', 'fr'],
    [[], ';;;,,,q=', 'en'],
    [[], 'de;q=abc', 'en'],
    [['it', 'de-AT'], 'fr', 'de'],
    [['it'], 'fr', 'fr'],
  ]
  for (const [uiLocales, header, language] of rows)
    t.is(preferredLanguage(texts, uiLocales, header).language, language, `${uiLocales} ${header}`)
})

test('a long Accept-Language costs no more than its beginning', (t) => {
  t.is(preferredLanguage(texts, [], `${'x-a,'.repeat(100_000)}fr`).language, 'en')
})
