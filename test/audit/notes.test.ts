import test from 'ava'
import { noteOriginsIn, type RequestOrigin } from '../../src/telemetry/request-origin.js'
import { bothProducts } from '../flows/_both-products.js'

test.serial(
  'a call that is forwarded is not noted for the audit, one that is refused is, with whose it was',
  async (t) => {
    const world = await bothProducts(t)
    const browser = await world.loggedIn('alice')
    const notes = new Map<string, RequestOrigin>()
    noteOriginsIn(notes)
    t.teardown(() => noteOriginsIn(undefined))
    t.is((await browser.call(`${world.url}/api/x`)).status, 200)
    t.is(notes.size, 0)
    t.is((await browser.fetch(`${world.url}/api/x`, { method: 'POST' })).status, 403)
    t.like([...notes.values()], [{ address: '127.0.0.1', subject: 'user-alice' }])
  },
)
