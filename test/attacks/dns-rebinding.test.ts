import test from 'ava'
import { admin } from '../../src/server/admin.js'
import { call } from '../gateway/_client.js'
import { listen } from '../gateway/_gateway.js'

/*
 * A page on the Internet whose name its owner points at 127.0.0.1 is a page of that origin to the browser: it may read
 * whatever answers there. The admin listener answers to names that no such page can have.
 */

const options = {
  isReady: () => true,
  metrics: { contentType: 'text/plain', render: async () => 'secret_total 1' },
}

for (const listensOn of ['127.0.0.1', '0.0.0.0', 'gw1.example.com'])
  test(`the admin listener on ${listensOn} answers no page that had its name pointed here`, async (t) => {
    const on = await listen(admin({ listensOn, ...options }))
    t.teardown(on.close)
    for (const path of ['/metrics', '/healthz', '/readyz', '/other'])
      for (const Host of [
        'evil.example',
        'evil.example:9464',
        'EVIL.example.',
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        'gw1.example.com.evil.example',
        'evil.example.com',
        '127.0.0.1@evil.example',
        'evil.local',
        'internal.evil.example',
        '[::1].evil.example',
        '[evil]',
      ]) {
        const { status, text } = await call(new URL(on.url), path, { headers: { Host } })
        t.is(status, 421, `${path} for ${Host}`)
        t.false(text.includes('secret'), Host)
      }
  })

test('probes, Prometheus and people reach it: by address, by a name of one word, by the name it listens on', async (t) => {
  const on = await listen(admin({ listensOn: 'gw1.example.com', ...options }))
  t.teardown(on.close)
  for (const Host of [
    '127.0.0.1',
    `127.0.0.1:${on.port}`,
    '10.244.1.17:9464',
    '[::1]:9464',
    '[fd00::17]',
    'localhost:9464',
    'LOCALHOST',
    'sallyport:9464',
    'gateway_1:9464',
    'gw1.example.com:9464',
    'gateway.shop.svc.cluster.local:9464',
    'gateway.shop.svc:9464',
    'host.docker.internal:9464',
  ])
    t.is((await call(new URL(on.url), '/metrics', { headers: { Host } })).status, 200, Host)
})
