import test from 'ava'
import { de } from '../../src/authorization-server/pages/languages/de.js'
import { en } from '../../src/authorization-server/pages/languages/en.js'
import { fr } from '../../src/authorization-server/pages/languages/fr.js'
import { chooseLanguage, supportedLocales } from '../../src/authorization-server/pages/languages/language.js'
import { standardScopes } from '../../src/authorization-server/tokens/claims.js'

test('every language names every scope and every error', (t) => {
  t.deepEqual(supportedLocales, ['en', 'de', 'fr'])
  for (const texts of [en, de, fr]) {
    t.deepEqual(Object.keys(texts.scopes).sort(), [...standardScopes].sort())
    t.deepEqual(Object.keys(texts.errors), Object.keys(en.errors))
    t.not(texts.limited(1), texts.limited(2))
  }
})

const chooses = test.macro({
  title: (_, uiLocales, header) => `chooses from "${uiLocales}" and "${header}"`,
  exec(t, uiLocales: string, header: string | undefined, language: string) {
    t.is(chooseLanguage(uiLocales.split(' '), header).language, language)
  },
})
test(chooses, '', undefined, 'en')
test(chooses, '', '', 'en')
test(chooses, '', 'fr', 'fr')
test(chooses, '', 'DE-ch', 'de')
test(chooses, '', 'en;q=0.4, de;q=0.9', 'de')
test(chooses, '', 'de;q=0, fr;q=0.1', 'fr')
test(chooses, '', 'it, es', 'en')
test(chooses, '', '*', 'en')
test(chooses, '', 'de;q=abc, fr', 'fr')
test(chooses, 'it fr', 'de', 'fr')
test(chooses, 'x', 'de', 'de')

test('takes no time over a hostile header', (t) => {
  const header = `${';q='.repeat(20_000)},${'a,'.repeat(20_000)}`
  const before = process.cpuUsage()
  for (let i = 0; i < 100; i++) chooseLanguage([], header)
  const { user, system } = process.cpuUsage(before)
  t.true((user + system) / 100 < 5000, 'less than 5 ms each')
})
