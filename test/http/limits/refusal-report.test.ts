import test from 'ava'
import { createRefusalReport } from '../../../src/http/limits/refusal-report.js'

test('the first refusal is told at once, those that follow together', async (t) => {
  const told: (readonly [string, number])[] = []
  const all = new Promise<void>((resolve) => {
    const refused = createRefusalReport((network, count) => {
      told.push([network, count])
      if (told.length === 2) resolve()
    }, 20)
    for (let i = 0; i < 50; i++) refused(`network ${i}`)
    t.deepEqual(told, [['network 0', 1]])
  })
  // The report's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  await all
  clearInterval(alive)
  t.deepEqual(told[1], ['network 49', 49])
})
