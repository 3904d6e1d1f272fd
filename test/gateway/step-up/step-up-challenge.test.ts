import test from 'ava'
import fc from 'fast-check'
import { type StepUpChallenge, stepUpChallenge } from '../../../src/gateway/step-up/step-up-challenge.js'

const error = 'error="insufficient_user_authentication"'
const asks = (requirements: object) => ({ kind: 'requirements', requirements })
const none = { kind: 'none' }
const unusable = { kind: 'unusable' }

for (const [what, field, expected] of [
  ['acr_values', `DPoP ${error}, acr_values="gold silver"`, asks({ acrValues: ['gold', 'silver'] })],
  ['max_age in quotes', `DPoP ${error}, max_age="5"`, asks({ maxAge: 5 })],
  ['max_age as a token, as RFC 9470 has it', `Bearer ${error}, max_age=5`, asks({ maxAge: 5 })],
  ['both', `dpop ${error}, max_age="0", acr_values="gold"`, asks({ acrValues: ['gold'], maxAge: 0 })],
  [
    'other parameters around it',
    `DPoP realm="a, b", ${error} , scope="x" ,acr_values="gold", algs="ES256"`,
    asks({ acrValues: ['gold'] }),
  ],
  [
    'an escaped quote in another parameter',
    `DPoP ${error}, error_description="say \\"acr_values=\\"", max_age="1"`,
    asks({ maxAge: 1 }),
  ],
  ['names in capitals', `DPoP ERROR="insufficient_user_authentication", Max_Age="7"`, asks({ maxAge: 7 })],
  ['the second of two challenges', `Bearer realm="a", DPoP ${error}, max_age="9"`, asks({ maxAge: 9 })],
  ['a challenge of another scheme before it', `Basic realm="a", DPoP ${error}, max_age="9"`, asks({ maxAge: 9 })],
  ['nothing', '', none],
  ['another error', 'DPoP error="invalid_token", max_age="5"', none],
  ['another scheme', `Basic ${error}, max_age="5"`, none],
  ['parameters of another challenge', `DPoP ${error}, Bearer max_age="5", acr_values="gold"`, unusable],
  ['neither of the two', `DPoP ${error}`, unusable],
  ['a max_age that is no number', `DPoP ${error}, max_age="-1"`, unusable],
  ['a max_age of ten digits', `DPoP ${error}, max_age="1234567890"`, unusable],
  ['an acr value with a quote', `DPoP ${error}, acr_values="go\\"ld"`, unusable],
  ['an acr value beyond ASCII', `DPoP ${error}, acr_values="gö"`, unusable],
  ['two spaces between acr values', `DPoP ${error}, acr_values="gold  silver"`, unusable],
  ['acr values without end', `DPoP ${error}, acr_values="${'gold '.repeat(60).trim()}"`, unusable],
  ['a parameter that comes twice', `DPoP ${error}, max_age="5", max_age="6"`, unusable],
  ['an error that comes twice', `DPoP error="x", ${error}, max_age="5"`, unusable],
  ['a field of nine thousand characters', `DPoP ${error}, max_age="5", realm="${'a'.repeat(9000)}"`, none],
  ['a quote without end', `DPoP ${error}, max_age="5`, unusable],
] as const)
  test(`what an API asks: ${what}`, (t) => {
    t.deepEqual(stepUpChallenge(field), expected as StepUpChallenge)
  })

test('a challenge of anything is read in time, and asks for nothing that is not well-formed', (t) => {
  const piece = fc.constantFrom(
    'DPoP ',
    'Bearer',
    error,
    ', ',
    '"',
    '\\',
    '=',
    'max_age=',
    '"5"',
    'acr_values="a b"',
    ' ',
    'ü',
    ',,',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const found = stepUpChallenge(pieces.join(''))
      if (found.kind !== 'requirements') return true
      const { acrValues = [], maxAge = 0 } = found.requirements
      return acrValues.every((value) => /^[\x21-\x7e]+$/.test(value)) && Number.isSafeInteger(maxAge)
    }),
  )
  const began = performance.now()
  stepUpChallenge(`DPoP ${'a '.repeat(4000)}`)
  stepUpChallenge(`DPoP a="${'\\"'.repeat(4000)}`)
  t.true(performance.now() - began < 500)
})
