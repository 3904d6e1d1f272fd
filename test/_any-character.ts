import fc from 'fast-check'

/** Halves of pairs in UTF-16, which are no characters: 2048 from here. */
const firstSurrogate = 0xd800
const surrogates = 0x800

function indexOf(character: unknown): number {
  const point = typeof character === 'string' ? character.codePointAt(0) : undefined
  if (point === undefined || String.fromCodePoint(point) !== character) throw new TypeError('not one character')
  return point < firstSurrogate ? point : point - surrogates
}

/**
 * For `fc.string({ unit: anyCharacter })`: the same strings as fast-check's `binary`, which makes a table of all 1,112,064 before its
 * first string. That takes two seconds of processor time in each worker.
 */
export const anyCharacter = fc
  .nat({ max: 0x10ffff - surrogates })
  .map((index) => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates), indexOf)
