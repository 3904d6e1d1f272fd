import { EventEmitter, once } from 'node:events'
import test from 'ava'
import type { Session } from '../../../src/gateway/session/session-record.js'
import { createSessionWatch } from '../../../src/gateway/session/session-watch.js'
import { eventually } from '../../_eventually.js'

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
  destroyed = false
  destroy(): void {
    this.destroyed = true
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

test('what is open under a rule ends when the rule says so, or when it cannot be asked; what has none stays', async (t) => {
  let time = 0
  const watch = createSessionWatch({ get: async () => '' }, () => time)
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    watch.close()
    clearInterval(alive)
  })
  const session = aSession('mine', 500)
  let asked = 0
  const current = async () => {
    asked++
    return session
  }
  const denies = () => {
    throw new Error('denied')
  }
  const [denied, allowed, unknown, free] = [new Stream(), new Stream(), new Stream(), new Stream()]
  const heldDenied = watch.hold(session, denied, { current, mayIn: denies })
  const others = [
    watch.hold(session, allowed, { current, mayIn: () => undefined }),
    watch.hold(session, free),
    watch.hold(aSession('over', 500), new Stream(), { current: async () => undefined, mayIn: denies }),
  ]
  const heldUnknown = watch.hold(aSession('other', 500), unknown, {
    current: () => Promise.reject(new Error('down')),
    mayIn: () => undefined,
  })
  const signals = [heldDenied, heldUnknown].map((held) => held.signal())
  time = 5
  await Promise.all([once(denied, 'close'), once(unknown, 'close')])
  t.deepEqual(
    signals.map(({ reason }) => reason),
    ['access lost', 'access lost'],
  )
  for (const held of others) t.false(held.signal().aborted)
  t.is(asked, 1, 'once for all that a session has open')
})

test('a stream that has closed while its session was looked up is not watched', async (t) => {
  let time = 0
  const asked: string[] = []
  const store = {
    async get(key: string): Promise<string | undefined> {
      asked.push(key)
      return 'a session'
    },
  }
  const watch = createSessionWatch(store, () => time)
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    watch.close()
    clearInterval(alive)
  })
  const closed = new Stream()
  closed.destroy()
  watch.hold(aSession('closed', 500), closed)
  watch.hold(aSession('open', 500), new Stream())
  time = 10
  await eventually(() => asked.includes('open'))
  t.deepEqual(asked, ['open'])
})
