import test from 'ava'
import { policySource, redirectSources } from '../../src/http/policy-source.js'

test('a policy names an origin, or for an IPv6 address, for which it has no word, the scheme', (t) => {
  t.is(policySource(new URL('https://as.example/path')), 'https://as.example')
  t.is(policySource(new URL('http://[::1]:3000')), 'http:')
})

test('a form may lead on over https, and over http where the client is on this machine', (t) => {
  t.deepEqual(redirectSources(['https://client.example/callback']), ['https:'])
  t.deepEqual(redirectSources(['http://[::1]:3000/callback', 'https://client.example/']), ['https:', 'http:'])
})
