import test from 'ava'
import { createLogLevel } from '../../src/telemetry/log-level.js'
import { eventually } from '../_eventually.js'

test('a level that an administrator has set for a while outlives a reload, and ends in what is configured by then', async (t) => {
  const logger = { level: 'info' }
  const level = createLogLevel(logger)
  level.configure('warn')
  t.is(logger.level, 'warn')
  level.set('debug', 0.05)
  level.configure('error')
  t.is(logger.level, 'debug')
  t.is(typeof level.state().until, 'number')
  await eventually(() => logger.level !== 'debug')
  t.deepEqual(level.state(), { level: 'error' })
})
