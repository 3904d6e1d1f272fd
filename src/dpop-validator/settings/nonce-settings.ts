import { randomBytes } from 'node:crypto'
import { nonceDefaults, verifierDefaults } from '../defaults.js'
import type { VerifierOptions } from '../options.js'
import type { NoncePolicyOptions } from '../proof/nonce-policy.js'
import type { OptionChecks } from './option-checks.js'

/** Undefined: no nonces are asked for. */
export function nonceSettings(
  option: VerifierOptions['nonce'] = verifierDefaults.nonce,
  maxAge: number,
  now: () => number,
  checks: OptionChecks,
): NoncePolicyOptions | undefined {
  if (option === false) return undefined
  const given = option === true ? {} : option
  checks.known('/nonce', given, ['secret', ...Object.keys(nonceDefaults)])
  const { secret = randomBytes(32), perKey = nonceDefaults.perKey, when = nonceDefaults.when } = given
  const secrets = Buffer.isBuffer(secret) ? [secret] : secret
  if (secrets.length === 0 || secrets.some((one) => !Buffer.isBuffer(one) || one.length < 32))
    checks.wrong('/nonce/secret', 'is not a Buffer of at least 32 bytes', 'Make one with crypto.randomBytes(32).')
  if (typeof when !== 'function' && when !== 'always' && when !== 'suspicious')
    checks.wrong('/nonce/when', 'is not one of its values', 'Write always, suspicious or a function.')
  const step = checks.number('/nonce/step', given.step, nonceDefaults.step, [1, 3600])
  return { secrets, step, perKey, when, maxAge, now }
}
