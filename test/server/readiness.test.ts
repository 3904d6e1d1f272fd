import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { admin } from '../../src/server/admin.js'
import { isStoreUp } from '../../src/server/run.js'

test('while the store hangs a replica is ready, and says so before a balancer gives up on it', async (t) => {
  const store = { set: () => new Promise<undefined>(() => undefined) }
  const onRequest = admin({
    listensOn: '127.0.0.1',
    isReady: () => true,
    isStoreUp: () => isStoreUp(store),
    metrics: { contentType: 'text/plain', render: async () => '' },
  })
  const server = createServer(onRequest).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) })
  t.is(answer.status, 200)
  t.deepEqual(await answer.json(), { status: 'ready', store: 'down' })
})
