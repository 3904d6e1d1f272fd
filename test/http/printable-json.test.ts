import test from 'ava'
import { printableJson } from '../../src/http/printable-json.js'

test('JSON for a terminal has no character that moves its cursor or turns the writing, and says the same', (t) => {
  const value = { browser: 'a\u009b31mred\u007f\u0085\u202e\u2066\u2028b', 'name\u009d': ['\u001b]0;x\u0007', 'é€😀'] }
  for (const indent of [undefined, 2]) {
    const text = printableJson(value, indent)
    t.notRegex(text, /(?!\n)\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u)
    t.regex(text, /é€😀/)
    t.deepEqual(JSON.parse(text), value)
  }
})
