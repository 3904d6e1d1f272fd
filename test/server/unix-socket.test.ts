import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import { anOpenRoute } from './_open-route.js'

test('frontends are served on a Unix socket, whose proxy tells of the client', async (t) => {
  const { program, directory, seen } = await anOpenRoute(t, { Listen: 'unix:gateway.sock' })
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
