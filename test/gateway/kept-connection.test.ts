import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import test from 'ava'
import { aGate } from '../attacks/_gate.js'
import { recordingUpstream } from './_upstream.js'

test('a connection that is kept for many requests gathers no listeners, whatever answers them', async (t) => {
  const warnings: string[] = []
  const onWarning = (warning: Error): void => void warnings.push(`${warning.name} ${warning.stack}`)
  process.on('warning', onWarning)
  const vite = await recordingUpstream()
  const { url, plant } = await aGate(t, { frontends: [{ developmentServer: vite.url }] })
  const { cookie } = await plant()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(async () => {
    process.off('warning', onWarning)
    agent.destroy()
    await vite.close()
  })
  const connections = new Set<unknown>()
  const headers = { Host: 'shop.example', Cookie: cookie, 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' }
  for (let round = 0; round < 12; round++)
    for (const [method, path, expected] of [
      ['GET', '/api/orders', 200],
      ['POST', '/api/orders', 200],
      ['GET', '/page', 200],
      ['POST', '/page', 200],
      ['GET', '/bff/user', 200],
      ['GET', '/bff/nothing', 404],
    ] as const) {
      const sent = request(new URL(path, url), { agent, method, headers }).end(method === 'POST' ? 'body' : undefined)
      sent.on('socket', (socket) => connections.add(socket))
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      t.is(response.statusCode, expected, path)
      await once(response.resume(), 'end')
    }
  t.is(connections.size, 1)
  // Node says it once for each emitter with more than ten listeners of one event.
  t.deepEqual(
    warnings.filter((warning) => warning.startsWith('MaxListenersExceededWarning')),
    [],
  )
})
