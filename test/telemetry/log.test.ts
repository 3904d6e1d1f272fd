import test from 'ava'
import { pino } from 'pino'
import { publish } from '../../src/telemetry/events.js'
import { logEvents } from '../../src/telemetry/log.js'

test('writes one JSON line per event, at the level that its reader needs', (t) => {
  const lines: { level: number; msg: string; code?: string }[] = []
  logEvents(pino({ level: 'trace' }, { write: (line: string) => lines.push(JSON.parse(line)) }))
  publish({ type: 'gateway.request.refused', requestId: 'r1', code: 'bff.session.absent', status: 401 })
  publish({ type: 'as.code.reused', requestId: 'r1', client: 'my-bff' })
  publish({ type: 'server.draining' })
  const usual = { code: 'use_dpop_nonce', reason: 'the first of each' }
  publish({ type: 'as.request.refused', requestId: 'r1', endpoint: 'par', ...usual })
  t.like(lines, [
    { level: 30, msg: 'gateway.request.refused', code: 'bff.session.absent' },
    { level: 40, msg: 'as.code.reused' },
    { level: 30, msg: 'server.draining' },
    { level: 20, msg: 'as.request.refused', code: 'use_dpop_nonce' },
  ])
})
