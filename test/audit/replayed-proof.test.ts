import test from 'ava'
import { createAudit } from '../../src/audit/audit.js'
import type { AuditRecord } from '../../src/audit/record.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { createClient, outcome, publicUrl } from '../dpop-validator/_requests.js'

test('a proof that comes twice to an API is written down with where it came from, and what its sender calls the request', async (t) => {
  const issuer = await startTestIssuer({ audience: publicUrl })
  const records: AuditRecord[] = []
  const audit = createAudit({ onRecord: (record) => records.push(record) })
  t.teardown(() => Promise.all([audit.close(), issuer.close()]))
  const verifier = createVerifier({
    issuer: { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } },
    audience: publicUrl,
    publicUrl,
    now: issuer.clock.now,
  })
  const stolen = createClient(issuer, verifier).request({
    peer: '192.0.2.7',
    headers: ['User-Agent', 'a thief', 'X-Request-Id', 'the-call'],
  })
  t.is(outcome(await verifier.verify(stolen)), 'accepted')
  t.is(outcome(await verifier.verify(stolen)), 'invalid_dpop_proof')
  t.like(records, [
    { action: 'replay.refused', address: '192.0.2.7', userAgent: 'a thief', details: { claimedRequestId: 'the-call' } },
  ])
  t.regex(records[0]?.requestId ?? '', /^[0-9a-f-]{36}$/)
})
