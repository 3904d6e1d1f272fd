import test from 'ava'
import { isLoopback } from '../../src/http/loopback.js'

for (const host of ['localhost', 'app.localhost', '127.0.0.1', '127.1.2.3', '[::1]', '::1'])
  test(`${host} is this machine`, (t) => t.true(isLoopback(host)))

for (const host of [
  '',
  'example.com',
  'localhost.example.com',
  'notlocalhost',
  '.localhost',
  '128.0.0.1',
  '127.0.0.1.example.com',
  '[::2]',
  '0.0.0.0',
])
  test(`${JSON.stringify(host)} may be another`, (t) => t.false(isLoopback(host)))
