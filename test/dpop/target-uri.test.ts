import test from 'ava'
import { normalizedTargetUri } from '../../src/dpop/target-uri.js'

for (const [uri, normalized] of [
  ['https://api.example', 'https://api.example/'],
  ['HTTPS://API.example:443/A', 'https://api.example/A'],
  ['http://api.example:80/', 'http://api.example/'],
  ['https://api.example:80/', 'https://api.example:80/'],
  ['https://api.example/a?b#c', 'https://api.example/a'],
  ['https://api.example/a#?', 'https://api.example/a'],
  ['https://api.example/%2f%c3%A9', 'https://api.example/%2F%C3%A9'],
  ['https://[::1]:8443//a/', 'https://[::1]:8443//a/'],
  ['https://api.example/a;b=c', 'https://api.example/a;b=c'],
] as const)
  test(`${uri} is ${normalized}`, (t) => {
    t.is(normalizedTargetUri(uri), normalized)
  })

for (const uri of [
  '',
  '/a',
  'https:',
  'https://',
  'https:///a',
  'ftp://a/',
  'javascript:alert(1)',
  'https://u:p@a/',
  'https://a\\b/',
  'https://a/\\b',
  ' https://a/',
  'https://a/ ',
  'https://a/b c',
  'https://a/\n',
  'https://ä/',
  'https://a/ä',
])
  test(`${JSON.stringify(uri)} is no target URI`, (t) => {
    t.is(normalizedTargetUri(uri), undefined)
  })

test('a very long one takes no time', (t) => {
  const began = process.cpuUsage()
  for (const part of ['a', '%', '/', '?', '#', '@', ':', '['])
    for (const prefix of ['https://', 'https://a/', 'http']) normalizedTargetUri(`${prefix}${part.repeat(100_000)}\n`)
  const { user } = process.cpuUsage(began)
  t.true(user < 200_000, `${user} µs`)
})
