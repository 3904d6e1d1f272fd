import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../../errors.js'
import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import { type Confirmation, isSameConfirmation } from './confirmation.js'
import type { Grants } from './grant.js'

/** What a code is bound to. */
export interface CodeBinding {
  readonly grantId: string
  readonly clientId: string
  readonly redirectUri: string
  readonly codeChallenge: string
  /** The DPoP key the pushed request named (RFC 9449 §10). */
  readonly jkt?: string
  readonly nonce?: string
}

/** How a client redeems a code. */
export interface Redemption {
  readonly requestId: string
  readonly clientId: string
  readonly redirectUri: string | undefined
  readonly codeVerifier: string | undefined
  /** What the tokens will be bound to. */
  readonly confirmation: Confirmation
}

export interface AuthorizationCodes {
  issue(binding: CodeBinding): Promise<string>
  /** @throws ProtocolError `invalid_grant` */
  accept(code: string, redemption: Redemption): Promise<AcceptedCode>
}

/** A code that may be redeemed. What can still go wrong is done before `consume`; after it nothing may. */
export interface AcceptedCode {
  readonly binding: CodeBinding
  /** Of any number of callers one passes. @throws ProtocolError `invalid_grant` for the others */
  consume(): Promise<void>
}

interface CodeRecord extends CodeBinding {
  readonly state: 'issued' | 'used'
  readonly expiresAt: number
}

export interface AuthorizationCodesOptions {
  readonly store: Store
  readonly seal: Seal
  readonly grants: Grants
  /** Seconds. */
  readonly lifetime: number
  /** Seconds a used code is remembered, so that its reuse ends what it was used for. */
  readonly memory: number
  readonly now: () => number
}

export function createAuthorizationCodes({
  store,
  seal,
  grants,
  lifetime,
  memory,
  now,
}: AuthorizationCodesOptions): AuthorizationCodes {
  const codes = createSealedStore<CodeRecord>(store, seal, 'as code')

  /** RFC 6749 §4.1.2: when a code is used again, an attacker may hold the tokens made from it. */
  const reused = async ({ clientId, grantId }: CodeRecord, requestId: string): Promise<never> => {
    await grants.revoke(grantId)
    publish({ type: 'as.code.reused', requestId, client: clientId })
    return refuse('the code was used before')
  }

  return {
    async issue(binding) {
      const code = randomBytes(32).toString('base64url')
      const expiresAt = now() + lifetime
      await codes.add(code, { ...binding, state: 'issued', expiresAt }, expiresAt)
      return code
    },

    async accept(code, redemption) {
      const record = await codes.get(code)
      if (record === undefined) refuse('the code is unknown or has expired')
      const { value, revision } = record
      // Only its own client may learn that it was used, or end what it was used for.
      if (value.clientId !== redemption.clientId) refuse('the code was issued to another client')
      if (value.state === 'used') return reused(value, redemption.requestId)
      if (now() >= value.expiresAt) refuse('the code has expired')
      if (redemption.redirectUri !== value.redirectUri) refuse('redirect_uri is not the one of the request')
      if (!verifierFits(redemption.codeVerifier, value.codeChallenge)) refuse('code_verifier does not fit')
      if (value.jkt !== undefined && !isSameConfirmation({ jkt: value.jkt }, redemption.confirmation))
        refuse('the code is bound to another DPoP key')

      return {
        binding: value,
        async consume() {
          // One step from issued to used: of parallel redemptions the store lets one through.
          if (!(await codes.replace(code, revision, { ...value, state: 'used' }, now() + memory)))
            await reused(value, redemption.requestId)
        },
      }
    },
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.6 RFC 7636 §4.6} */
function verifierFits(verifier: string | undefined, challenge: string): boolean {
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false
  const made = createHash('sha256').update(verifier).digest()
  const expected = Buffer.from(challenge, 'base64url')
  return made.length === expected.length && timingSafeEqual(made, expected)
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_grant', message)
}
