import { EventEmitter, once } from 'node:events'
import test from 'ava'
import type { Session } from '../../../src/gateway/session/session-record.js'
import { createSessionWatch } from '../../../src/gateway/session/session-watch.js'

const aSession = (key: string, endsAt: number): Session => ({
  key,
  endsAt,
  handle: key,
  record: { createdAt: 0, claims: {}, accessTokens: {} },
  revision: '',
  prover: undefined,
})

/** A stream that is open. */
class Stream extends EventEmitter {
  destroy(): void {
    this.emit('close')
  }
}

test('while the store does not answer, a stream goes on until its session was to end, and no longer', async (t) => {
  let time = 0
  let asked = 0
  const store = {
    async get(): Promise<string | undefined> {
      asked++
      throw new Error('down')
    },
  }
  const watch = createSessionWatch(store, () => time)
  // The watch alone keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    watch.close()
    clearInterval(alive)
  })
  const [ending, lasting] = [new Stream(), new Stream()]
  watch.hold(aSession('ending', 5), ending)
  const held = watch.hold(aSession('lasting', 500), lasting)
  let isCut = false
  lasting.once('close', () => {
    isCut = true
  })
  time = 10
  await once(ending, 'close')
  t.is(asked, 2)
  t.false(isCut)
  t.false(held.signal().aborted)
})

test("a session that ends here ends its streams at once, and nobody else's", (t) => {
  const watch = createSessionWatch({ get: async () => '' }, () => 0)
  t.teardown(() => watch.close())
  const [mine, others] = ['mine', 'others'].map((key) => watch.hold(aSession(key, 500), new Stream()))
  const signals = [mine?.signal(), others?.signal()]
  watch.ended('mine')
  t.deepEqual(
    signals.map((signal) => signal?.aborted),
    [true, false],
  )
})
