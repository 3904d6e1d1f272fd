import { randomBytes, randomInt } from 'node:crypto'
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

test('of a thousand seals that come, are read and go in any order each is its own text', (t) => {
  const seal = createSeal([randomBytes(32)])
  const newText = () => seal.seal(randomBytes(90).toString('base64'), 'secret', 'context')
  const rest = Array.from({ length: 1000 }, () => {
    const text = newText()
    return { text, packed: pack(text) }
  })
  for (let step = 0; step < 20_000; step++) {
    const at = randomInt(rest.length)
    const one = rest[at]
    if (one === undefined) continue
    t.true(unpack(one.packed) === one.text && unpack(one.packed) === one.text)
    if (step % 3 > 0) continue
    drop(one.packed)
    const text = newText()
    rest[at] = { text, packed: pack(text) }
  }
  t.true(rest.every(({ text, packed }) => unpack(packed) === text))
})

test('a seal that was read and has gone is kept nowhere: its place is that of the next', (t) => {
  const seal = createSeal([randomBytes(32)])
  const [first = '', next = ''] = ['first', 'other'].map((text) => seal.seal(text.repeat(20), 'secret', 'context'))
  const packed = pack(first)
  t.is(unpack(packed), first)
  drop(packed)
  pack(next)
  t.is(unpack(packed), next)
})
