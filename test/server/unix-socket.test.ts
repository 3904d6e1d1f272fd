import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { run } from '../../src/server/run.js'
import { aFolder } from '../config/_workspace.js'

test('frontends are served on a Unix socket, whose proxy tells of the client', async (t) => {
  const seen: IncomingHttpHeaders[] = []
  const upstream = createServer(({ headers }, response) => {
    seen.push(headers)
    response.end('the API')
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.teardown(() => void upstream.close())
  const directory = await aFolder(t)
  const program = await run(
    readConfiguration({
      environment: {},
      directory,
      value: {
        Server: {
          Listen: 'unix:gateway.sock',
          TrustedProxies: ['127.0.0.1/32'],
          LogLevel: 'silent',
          DrainDelay: '00:00:00',
        },
        Store: { Memory: {} },
        Bff: {
          Authority: 'https://auth.example.com',
          PublicUrl: 'https://app.example.com',
          Frontends: [
            {
              Name: 'app',
              ClientId: 'app',
              ClientSigningKeyJwk: generateSigningJwk('ES256'),
              Routes: [
                {
                  Path: '/open',
                  Upstreams: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`],
                  TokenType: 'None',
                },
              ],
            },
          ],
        },
      },
    }),
  )
  t.teardown(() => program.stop())
  const socketPath = join(directory, 'gateway.sock')
  t.is(program.url, `unix:${socketPath}`)
  const get = (path: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(
        { socketPath, path, headers: { Host: 'app.example.com', Connection: 'close', ...headers } },
        (response) => {
          response.resume().on('end', () => resolve(response.statusCode))
        },
      )
        .on('error', reject)
        .end()
    })
  t.is(await get('/bff/user', {}), 200)
  t.is(await get('/open', { 'X-Forwarded-For': '203.0.113.9, 192.0.2.7' }), 200)
  t.is(seen[0]?.['x-forwarded-for'], '192.0.2.7')
  t.is(await get('/open', { Host: 'evil.example' }), 421)
  await program.stop()
  t.false(existsSync(socketPath))
})
