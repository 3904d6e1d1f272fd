import test from 'ava'
import { didYouMean } from '../../src/config/did-you-mean.js'

const names = ['ClientId', 'ClientUrl', 'Authority', 'PathPrefix', 'Name']

test('a misspelled name finds the one that was meant, whatever its case and punctuation', (t) => {
  for (const [given, meant] of [
    ['client_id', 'ClientId'],
    ['ClientID', 'ClientId'],
    ['Authorty', 'Authority'],
    ['Pathprefx', 'PathPrefix'],
    ['Nmae', undefined],
    ['nam', 'Name'],
    ['Upstreams', undefined],
    ['', undefined],
  ] as const)
    t.is(didYouMean(given, names), meant, given)
})

test('a name of any length is compared by its beginning', (t) => {
  t.is(didYouMean('x'.repeat(1_000_000), names), undefined)
})
