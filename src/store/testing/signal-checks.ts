import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { StoreCheck } from './store-check.js'

/** What a store's signals must do, where it has any. */
export const signalChecks: readonly StoreCheck[] = [
  {
    title: 'tells all who listen, once each, until they stop; or has no signals',
    async run({ signals }) {
      if (signals === undefined) return
      const [topic, other] = [randomUUID(), randomUUID()]
      const [one, two, elsewhere]: string[][] = [[], [], []]
      const stopOne = signals.listen(topic, (message) => one?.push(message))
      const stopTwo = signals.listen(topic, (message) => two?.push(message))
      const stopElsewhere = signals.listen(other, (message) => elsewhere?.push(message))
      const told = async (messages: readonly string[] | undefined, message: string): Promise<void> => {
        const deadline = Date.now() + 5000
        while (messages?.includes(message) !== true) {
          assert.ok(Date.now() < deadline, `not told: ${message}`)
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
      // Whether it listens already is not said: the first message is sent until it comes.
      while (one?.length === 0 || two?.length === 0) {
        await signals.send(topic, 'first')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await signals.send(topic, 'ä 💥')
      await Promise.all([told(one, 'ä 💥'), told(two, 'ä 💥')])
      stopOne()
      await signals.send(topic, 'last')
      await told(two, 'last')
      assert.equal(two?.filter((message) => message === 'last').length, 1)
      stopTwo()
      stopElsewhere()
      assert.deepEqual(elsewhere, [])
    },
  },
]
