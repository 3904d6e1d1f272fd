import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createStepUpLinks } from '../../../src/gateway/step-up/step-up-link.js'
import { createSeal } from '../../../src/store/seal.js'

const key = randomBytes(32)
const links = createStepUpLinks(createSeal([key]), 'app')
const asked = { acrValues: ['gold', 'silver'], maxAge: 60 }
const query = () => new URLSearchParams(links.parametersOf(asked))

test('a step-up link says what it asks for, and is known again', (t) => {
  t.is(query().get('acr_values'), 'gold silver')
  t.is(query().get('max_age'), '60')
  t.deepEqual(links.requirementsIn(query()), asked)
  for (const one of [{ maxAge: 0 }, { acrValues: ['gold'] }])
    t.deepEqual(links.requirementsIn(new URLSearchParams(links.parametersOf(one))), one)
})

test('another process knows it, also after a change of the sealing key', (t) => {
  t.deepEqual(createStepUpLinks(createSeal([randomBytes(32), key]), 'app').requirementsIn(query()), asked)
})

for (const [what, change] of [
  ['without its code', (link: URLSearchParams) => link.delete('step_up')],
  ['with another code', (link: URLSearchParams) => link.set('step_up', `${'A'.repeat(43)}`)],
  ['with two codes', (link: URLSearchParams) => link.append('step_up', link.get('step_up') ?? '')],
  ['with another acr', (link: URLSearchParams) => link.set('acr_values', 'bronze')],
  ['without acr_values', (link: URLSearchParams) => link.delete('acr_values')],
  ['with a longer max_age', (link: URLSearchParams) => link.set('max_age', '600')],
  ['without max_age', (link: URLSearchParams) => link.delete('max_age')],
  [
    'with the parts moved',
    (link: URLSearchParams) => {
      link.delete('max_age')
      link.set('acr_values', '60 gold silver')
    },
  ],
] as const)
  test(`a step-up link ${what} asks for nothing`, (t) => {
    const link = query()
    change(link)
    t.is(links.requirementsIn(link), undefined)
  })

test("another frontend's link, or another deployment's, asks for nothing", (t) => {
  t.is(createStepUpLinks(createSeal([key]), 'admin').requirementsIn(query()), undefined)
  t.is(createStepUpLinks(createSeal([randomBytes(32)]), 'app').requirementsIn(query()), undefined)
})
