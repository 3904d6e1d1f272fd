import test from 'ava'
import { publish } from '../../src/telemetry/events.js'
import { createLog, logEvents } from '../../src/telemetry/log.js'
import { eventually } from '../_eventually.js'
import { eachLine } from '../_log-lines.js'

test('writes one JSON line per event, at the level that its reader needs', (t) => {
  const lines: { level: string; msg: string; code?: string }[] = []
  logEvents(createLog({ level: 'debug', destination: eachLine((line) => lines.push(JSON.parse(line))) }))
  publish({ type: 'gateway.request.refused', requestId: 'r1', code: 'bff.session.absent', status: 401 })
  publish({ type: 'as.code.reused', requestId: 'r1', client: 'my-bff' })
  publish({ type: 'server.draining' })
  const usual = { code: 'use_dpop_nonce', reason: 'the first of each' }
  publish({ type: 'as.request.refused', requestId: 'r1', endpoint: 'par', ...usual })
  t.like(lines, [
    { level: 'info', msg: 'gateway.request.refused', code: 'bff.session.absent' },
    { level: 'warn', msg: 'as.code.reused' },
    { level: 'info', msg: 'server.draining' },
    { level: 'debug', msg: 'as.request.refused', code: 'use_dpop_nonce' },
  ])
})

test('a forwarded call is the line that pino would write of it, whatever its path holds', async (t) => {
  const written: string[] = []
  const destination = eachLine((line) => written.push(line))
  const log = createLog({ level: 'info', destination })
  logEvents(log, { accessLog: true })
  const call = (path: string) =>
    ({
      type: 'gateway.request.forwarded',
      frontend: 'app',
      requestId: 'r1',
      route: '/api',
      method: 'GET',
      path,
      status: 200,
      code: undefined,
      session: 'a "handle"',
      bytes: 912,
      seconds: 0.03,
      ownSeconds: Number.NaN,
      upstreamSeconds: 0,
      attempts: 1,
    }) as const
  const paths = [
    '/api',
    '/a"b\\c',
    '/\u0000\u001b[2J\n',
    '/ü€😀',
    '/?eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
    '/}{,"level":"error"',
  ]
  for (const path of paths) publish(call(path))
  await eventually(() => written.length === paths.length)
  const [lines, theirs] = [[...written], written]
  theirs.length = 0
  for (const path of paths) {
    const { type, ...fields } = call(path)
    log.logger.info(fields, type)
  }
  const withoutTime = (line: string): string => line.replace(/"time":"[^"]*"/, '')
  t.deepEqual(lines.map(withoutTime), theirs.map(withoutTime))
  t.notRegex(lines.join(''), /eyJ/)
})
