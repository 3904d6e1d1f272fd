import test from 'ava'
import { createRecentRefusals } from '../../../src/server/administration/recent-refusals.js'
import { publish } from '../../../src/telemetry/events.js'

test('each refusal has the id that finds its lines in the log, and the first nonce of a client is none', (t) => {
  const refusals = createRecentRefusals(() => 1)
  t.teardown(() => refusals.close())
  const known = { requestId: 'r-1', endpoint: 'par' }
  publish({ type: 'as.request.refused', ...known, code: 'use_dpop_nonce', reason: 'the first of each' })
  publish({ type: 'as.request.refused', ...known, code: 'invalid_client', reason: 'unknown client' })
  publish({ type: 'as.request.failed', ...known, error: 'TypeError' })
  const failed = { frontend: 'app', session: 's', fatal: true, code: 'invalid_grant' }
  publish({ type: 'gateway.session.refresh-failed', requestId: 'r-2', ...failed })
  const refused = { code: 'invalid_token', check: 'RFC9068-4', beforeCrypto: true }
  publish({ type: 'validator.request.refused', requestId: 'r-4', claimedRequestId: 'r-3', ...refused })
  t.deepEqual(
    refusals.all().map(({ code, requestId }) => [code, requestId]),
    [
      ['invalid_token', 'r-3'],
      ['invalid_grant', 'r-2'],
      ['failed', 'r-1'],
      ['invalid_client', 'r-1'],
    ],
  )
})
