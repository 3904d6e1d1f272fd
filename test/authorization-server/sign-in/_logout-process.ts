import { createBackchannelLogout } from '../../../src/authorization-server/sign-in/backchannel-logout.js'
import { createLogoutDeliveries } from '../../../src/authorization-server/sign-in/logout-deliveries.js'
import { createStoreKeySource } from '../../../src/authorization-server/tokens/key-source.js'
import { createSigningKeys } from '../../../src/authorization-server/tokens/signing-keys.js'
import { createFileStore } from '../../../src/store/file-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { eventually } from '../../_eventually.js'
import { aClient } from '../_running.js'

/** Tells a client that a session has ended, when asked to, and what an earlier process left in the store's folder. */
const [path = '', backchannelLogoutUri = '', task] = process.argv.slice(2)
const now = () => Date.now() / 1000
const store = await createFileStore({ path })
const seal = createSeal([Buffer.alloc(32, 1)])
const keys = await createSigningKeys({
  source: createStoreKeySource(store, seal),
  algorithms: ['ES256'],
  lifetime: 1000,
  publishBefore: 10,
  retention: 10,
  refreshInterval: 60,
  now,
})
const logout = createBackchannelLogout({
  issuer: 'https://as.example',
  store,
  seal,
  clients: new Map([['client-1', aClient('client-1', { backchannelLogoutUri }).options]]),
  keys,
  defaultAlgorithm: 'ES256',
  sweepEvery: 0.05,
  now,
})
const deliveries = createLogoutDeliveries(store, seal, 1, now)
if (task === 'notify') {
  await logout.notify(
    {
      ...{ subject: 's', username: 's', claims: {}, sid: 'the sid', amr: [], authTime: 0, expiresAt: 0 },
      clients: ['client-1'],
    },
    'r-1',
  )
  const [id = ''] = await deliveries.ids()
  await eventually(async () => (await deliveries.find(id))?.attempts === 1)
}
// A test that fails or times out leaves no process behind.
process.once('disconnect', () => process.exit())
process.on('message', async () => {
  await logout.close()
  keys.close()
  process.send?.((await deliveries.ids()).length)
  await store.close()
  process.disconnect()
})
process.send?.('ready')
