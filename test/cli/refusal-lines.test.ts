import test from 'ava'
import { writeRefusals } from '../../src/cli/refusal-lines.js'
import { publish } from '../../src/telemetry/events.js'

test('the demo tells each refusal in a line: what was asked, the code, and why', (t) => {
  const lines: string[] = []
  writeRefusals({ write: (line) => lines.push(line) })
  publish({
    type: 'gateway.request.refused',
    requestId: 'r1',
    code: 'bff.csrf.header_missing',
    status: 403,
    reason: 'the header X-CSRF is missing',
    method: 'POST',
    path: '/api/\u001b[31morders',
  })
  publish({
    type: 'as.request.refused',
    requestId: 'r-1',
    endpoint: 'par',
    code: 'invalid_client',
    reason: 'unknown client',
  })
  publish({ type: 'gateway.login.started', frontend: 'app', requestId: 'r2' })
  publish({
    type: 'as.request.refused',
    requestId: 'r-1',
    endpoint: 'par',
    code: 'use_dpop_nonce',
    reason: 'the first of each',
  })
  publish({
    type: 'validator.request.refused',
    code: 'invalid_token',
    check: 'RFC9068-4',
    beforeCrypto: true,
    requestId: 'r-1',
  })
  publish({ type: 'server.request.refused', requestId: 'r3', code: 'server.request.malformed', status: 400, count: 1 })
  t.deepEqual(lines, [
    '  403 POST /api/?[31morders  bff.csrf.header_missing  the header X-CSRF is missing\n',
    '  authorization server, par  invalid_client  unknown client\n',
    '  sample API  invalid_token  RFC9068-4\n',
    '  400  server.request.malformed\n',
  ])
})
