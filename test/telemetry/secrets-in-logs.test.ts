import test from 'ava'
import fc from 'fast-check'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { publish } from '../../src/telemetry/events.js'
import { createLog, logEvents } from '../../src/telemetry/log.js'
import { withoutSecrets } from '../../src/telemetry/without-secrets.js'
import { eachLine } from '../_log-lines.js'

/*
 * No event has a field for a secret. Should one slip in all the same, inside an error's message, it is blotted out of the
 * finished line.
 */

const jwk = generateSigningJwk('ES256')
const canary = 'c4nary-c4nary-c4nary-c4nary-c4nary-c4nary'
const token = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.${canary}`

const lines: string[] = []
logEvents(createLog({ level: 'debug', destination: eachLine((line) => lines.push(line)) }))

const blots = test.macro({
  title: (_, text: string) => `blots out ${text.slice(0, 40).replace(/\s+/g, ' ')}`,
  exec(t, text: string) {
    publish({ type: 'gateway.request.failed', requestId: 'r-1', error: `it went wrong: ${text}` })
    const line = lines.pop() ?? ''
    t.notRegex(line, /c4nary/)
    t.false(line.includes(String(jwk.d)))
    t.is((JSON.parse(line) as { msg: string }).msg, 'gateway.request.failed', 'and the line is still JSON')
  },
})

test.serial(blots, token)
test.serial(blots, `Authorization: Bearer ${canary}`)
test.serial(blots, `Authorization: Basic ${canary}`)
test.serial(blots, `Authorization: DPoP ${canary}`)
test.serial(blots, `POST refresh_token=${canary}&grant_type=refresh_token`)
test.serial(blots, `https://app.example.com/bff/callback?code=${canary}&state=x`)
test.serial(blots, `code_verifier=${canary}`)
test.serial(blots, `client_secret=${canary}`)
test.serial(blots, `redis://user:${canary}@redis.internal:6379 refused`)
test.serial(blots, JSON.stringify({ ...jwk, k: canary }))
test.serial(blots, JSON.stringify(JSON.stringify({ ...jwk, k: canary })))
test.serial(blots, `__Host-Http-bff-app=${canary}`)
test.serial(blots, `sallyport-bff-app=${canary}`)
test.serial(blots, `sallyport-bff-app.AbCdEf12=${canary}`)
test.serial(blots, `sallyport-as-session-1a2b3c4d=${canary}`)

test.serial('leaves alone what is not secret', (t) => {
  for (const text of [
    'gateway.login.completed',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'https://auth.example.com/.well-known/openid-configuration',
    '"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"',
    '"code":"bff.csrf.header_missing"',
  ])
    t.is(withoutSecrets(text), text)
})

test.serial('takes time in proportion to the line, whatever is in it', (t) => {
  const started = performance.now()
  fc.assert(
    fc.property(
      fc.constantFrom('eyJ', 'Bearer ', '":"', 'code=', '://:', '\\'),
      fc.constantFrom('a', '.', ':', '"'),
      (a, b) => {
        withoutSecrets(a.repeat(20_000) + b.repeat(20_000))
      },
    ),
    { numRuns: 24 },
  )
  t.true(performance.now() - started < 5000)
})
