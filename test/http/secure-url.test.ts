import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isSecureUrl, mayPinHttps } from '../../src/http/secure-url.js'

for (const url of [
  'https://auth.example',
  'http://localhost:3000',
  'http://app.localhost/x',
  'http://127.0.0.1',
  'http://[::1]:1',
])
  test(`${url} may be told secrets`, (t) => {
    t.true(isSecureUrl(url))
    t.true(isSecureUrl(new URL(url)))
  })

for (const url of [
  'http://auth.example',
  'http://localhost.example',
  'ftp://localhost',
  'ws://127.0.0.1',
  'localhost',
  '',
])
  test(`${JSON.stringify(url)} may not`, (t) => t.false(isSecureUrl(url)))

test('nothing else in the source decides that by itself', async (t) => {
  const files = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'))
  for (const file of files.filter((name) => !name.endsWith('secure-url.ts')))
    t.notRegex(await readFile(join('src', file), 'utf8'), /'https?:'[^\n]*isLoopback|isLoopback[^\n]*'https?:'/, file)
})

test('browsers are told to come by https only for hosts that are not this machine', (t) => {
  t.true(mayPinHttps(new URL('https://auth.example')))
  for (const url of [
    'http://auth.example',
    'https://localhost:3000',
    'https://app.localhost',
    'https://127.0.0.1',
    'https://[::1]',
  ])
    t.false(mayPinHttps(new URL(url)), url)
})
