import { randomBytes } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { createPackedTexts, packedBytes } from '../../src/store/packed-texts.js'
import { createSeal } from '../../src/store/seal.js'
import { anyCharacter } from '../_any-character.js'

const { pack, unpack, drop } = createPackedTexts()

test('a seal takes three quarters of its length, and comes back as it was', (t) => {
  const sealed = createSeal([randomBytes(32)]).seal(randomBytes(1500).toString('base64'), 'secret', 'context')
  const packed = pack(sealed)
  t.is(unpack(packed), sealed)
  t.true(packedBytes(packed) < sealed.length * 0.84, `${packedBytes(packed)} of ${sealed.length}`)
})

test('whatever the text is, it comes back as it was', (t) => {
  const long = fc.base64String({ minLength: 600, maxLength: 700 }).map((text) => text.replace(/[+/]/g, '-'))
  const head = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constantFrom('\u0001', '\u0001\0', '1.abcdefgh.', 'ä.', ''),
  )
  const tail = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constantFrom('=', '~', '.', '~1.abcdefgh.AAAA'),
    fc.constant(''),
  )
  fc.assert(
    fc.property(head, long, tail, (...parts) => {
      const text = parts.join('')
      const packed = pack(text)
      t.is(unpack(packed), text)
      drop(packed)
    }),
    { numRuns: 500 },
  )
})
