import { randomBytes } from 'node:crypto'
import type { VerifierOptions } from './options.js'
import type { NoncePolicyOptions } from './proof/nonce-policy.js'

/** Notes what is wrong with an option, and what to do about it. */
export type Wrong = (pointer: string, problem: string, remedy: string) => void

export function nonceSettings(
  option: VerifierOptions['nonce'],
  maxAge: number,
  now: () => number,
  wrong: Wrong,
): NoncePolicyOptions | undefined {
  if (option === undefined || option === false) return undefined
  const {
    secret = randomBytes(32),
    step = 60,
    perKey = true,
    when = 'always',
    ...unknown
  } = option === true ? {} : option
  refuseUnknown(unknown, '/nonce', new Set(), wrong)
  const secrets = Buffer.isBuffer(secret) ? [secret] : secret
  if (secrets.length === 0 || secrets.some((one) => !Buffer.isBuffer(one) || one.length < 32))
    wrong('/nonce/secret', 'is not a Buffer of at least 32 bytes', 'Make one with crypto.randomBytes(32).')
  if (!(step >= 1 && step <= 3600)) wrong('/nonce/step', 'is not a number from 1 to 3600', 'Leave it out for 60.')
  if (typeof when !== 'function' && when !== 'always' && when !== 'suspicious')
    wrong('/nonce/when', 'is not one of its values', 'Write always, suspicious or a function.')
  return { secrets, step, perKey, when, maxAge, now }
}

export function refuseUnknown(section: object, pointer: string, names: ReadonlySet<string>, wrong: Wrong): void {
  for (const name of Object.keys(section))
    if (!names.has(name)) wrong(`${pointer}/${name}`, 'is not a known option', 'Check its spelling.')
}
