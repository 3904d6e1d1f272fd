import test from 'ava'
import { createLogLevel } from '../../src/telemetry/log-level.js'

test('a level that an administrator has set for a while outlives a reload, and ends in what is configured by then', async (t) => {
  const logger = { level: 'info' }
  const level = createLogLevel(logger)
  level.configure('warn')
  t.is(logger.level, 'warn')
  level.set('debug', 0.05)
  level.configure('error')
  t.is(logger.level, 'debug')
  t.is(typeof level.state().until, 'number')
  for (let wait = 0; logger.level === 'debug' && wait < 200; wait++) await new Promise((done) => setTimeout(done, 10))
  t.deepEqual(level.state(), { level: 'error' })
})
