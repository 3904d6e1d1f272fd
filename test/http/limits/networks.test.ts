import test from 'ava'
import { networksOf, widestNetworkOf } from '../../../src/http/limits/networks.js'

const names = (address: string): string[] => networksOf(address).map(({ name }) => name)

test('an IPv4 address counts alone, however it is written', (t) => {
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '64:ff9b::192.0.2.1'])
    t.deepEqual(names(address), ['192.0.2.1'], address)
})

test('an IPv6 address counts for its /64, its /56 and its /48, each with more room', (t) => {
  t.deepEqual(networksOf('2001:db8:1:2ab::9'), [
    { name: '2001:db8:1:2ab::/64', room: 1 },
    { name: '2001:db8:1:200::/56', room: 2 },
    { name: '2001:db8:1::/48', room: 4 },
  ])
  t.is(widestNetworkOf('2001:DB8:1:2ab::9'), '2001:db8:1::/48')
  t.deepEqual(names('::1'), ['::/64', '::/56', '::/48'])
})

test('what is no address is a network of its own, and not a long one', (t) => {
  t.deepEqual(networksOf(''), [{ name: '', room: 1 }])
  t.is(names('x'.repeat(10_000))[0]?.length, 64)
})
