import type { ClientSecurity } from '../_client-security.js'
import { type Claims, replaced, withBadSignature } from '../_jose.js'
import type { Misbehaviour } from './_misbehaviour.js'

/** What the client must not do any more. */
export type Outcome = 'completes' | 'stops after discovery' | 'stops after authorize' | 'stops after token'

export interface ClientModule {
  /** The suite's name, without its prefix `fapi2-security-profile-final-client-test-`. */
  readonly name: string
  /** Not part of the `plain_oauth` plan. */
  readonly openidOnly?: true
  readonly misbehaviour: Misbehaviour
  readonly outcome: Outcome
  /** Only when the client has sent it. */
  readonly needs?: 'state' | 'nonce'
}

const completes = (name: string, misbehaviour: Misbehaviour): ClientModule => ({
  name,
  misbehaviour,
  outcome: 'completes',
})

const idToken = (name: string, misbehaviour: Misbehaviour): ClientModule => ({
  name,
  openidOnly: true,
  misbehaviour,
  outcome: 'stops after token',
})

const claims = (name: string, overrides: () => Readonly<Record<string, unknown>>): ClientModule =>
  idToken(name, { idToken: (usual) => replaced(usual, overrides()) })

const response = (name: string, change: (response: URLSearchParams) => void): ClientModule => ({
  name,
  misbehaviour: { authorizationResponse: change },
  outcome: 'stops after authorize',
})

/** A signed authorization response that is not to be believed. */
const signedResponse = (name: string, misbehaviour: Misbehaviour): ClientModule => ({
  name,
  misbehaviour,
  outcome: 'stops after authorize',
})

const responseClaims = (name: string, overrides: (usual: Claims) => Claims): ClientModule =>
  signedResponse(name, { signedResponse: (usual) => replaced(usual, overrides(usual)) })

const hourAgo = (): number => Math.floor(Date.now() / 1000) - 3600

/** `fapi2-security-profile-final-client-test-plan` with private_key_jwt, dpop, plain_fapi. */
export const clientTestPlan: readonly ClientModule[] = [
  completes('happy-path', {}),
  {
    name: 'discovery-issuer-mismatch',
    misbehaviour: { metadata: (usual) => ({ ...usual, issuer: `${usual.issuer}/other` }) },
    outcome: 'stops after discovery',
  },
  claims('invalid-iss', () => ({ iss: 'https://wrong.example' })),
  claims('invalid-aud', () => ({ aud: 'another-client' })),
  idToken('invalid-secondary-aud', {
    idToken: (usual) => ({ ...usual, aud: [usual.aud, 'another-client'] }),
  }),
  idToken('invalid-null-alg', { idTokenAlgorithm: 'none' }),
  idToken('invalid-alternate-alg', { idTokenAlgorithm: 'RS256' }),
  claims('invalid-expired-exp', () => ({ exp: hourAgo() })),
  claims('invalid-missing-exp', () => ({ exp: undefined })),
  claims('invalid-missing-aud', () => ({ aud: undefined })),
  claims('invalid-missing-iss', () => ({ iss: undefined })),
  { ...claims('invalid-nonce', () => ({ nonce: 'another-nonce' })), needs: 'nonce' },
  { ...claims('invalid-missing-nonce', () => ({ nonce: undefined })), needs: 'nonce' },
  {
    ...completes('valid-aud-as-array', { idToken: (usual) => ({ ...usual, aud: [usual.aud] }) }),
    openidOnly: true,
  },
  response('invalid-authorization-response-iss', (answer) => answer.set('iss', `${answer.get('iss')}/other`)),
  response('remove-authorization-response-iss', (answer) => answer.delete('iss')),
  {
    ...response('ensure-authorization-response-with-invalid-state-fails', (answer) =>
      answer.set('state', `${answer.get('state')}1`),
    ),
    needs: 'state',
  },
  {
    ...response('ensure-authorization-response-with-invalid-missing-state-fails', (answer) => answer.delete('state')),
    needs: 'state',
  },
  completes('token-endpoint-response-without-expires_in', {
    tokenResponse: (usual) => replaced(usual, { expires_in: undefined }),
  }),
  completes('token-type-case-insensitivity', {
    tokenResponse: (usual) => ({ ...usual, token_type: usual.token_type === 'DPoP' ? 'dPOp' : 'bEArer' }),
  }),
  completes('rs-dpop-auth-scheme-case-insensitivity', { challengeScheme: 'dPOp' }),
  completes('happy-path-no-dpop-nonce', { nonces: 'none' }),
]

/** What is left of a plan where tokens are bound to certificates. */
export function clientPlanFor(
  modules: readonly ClientModule[],
  { constraint }: ClientSecurity,
): readonly ClientModule[] {
  return constraint === 'dpop' ? modules : modules.filter(({ name }) => !/-dpop-/.test(name))
}

const minutesAgo = (minutes: number): number => Math.floor(Date.now() / 1000) - minutes * 60

/** `fapi2-message-signing-final-client-test-plan` with `jarm`: `iss` of the answer is inside. */
export const signedClientTestPlan: readonly ClientModule[] = [
  ...clientTestPlan.filter(({ name }) => !/^(?:invalid|remove)-authorization-response-iss$/.test(name)),
  responseClaims('ensure-jarm-without-iss-fails', () => ({ iss: undefined })),
  responseClaims('ensure-jarm-with-invalid-iss-fails', ({ iss }) => ({ iss: `${iss}1` })),
  responseClaims('ensure-jarm-without-aud-fails', () => ({ aud: undefined })),
  responseClaims('ensure-jarm-with-invalid-aud-fails', ({ aud }) => ({ aud: `${aud}1` })),
  responseClaims('ensure-jarm-without-exp-fails', () => ({ exp: undefined })),
  responseClaims('ensure-jarm-with-expired-exp-fails', () => ({ exp: minutesAgo(6) })),
  signedResponse('ensure-jarm-with-invalid-sig-fails', { spoilResponse: withBadSignature }),
  signedResponse('ensure-jarm-signature-is-not-none', { signedResponseAlgorithm: 'none' }),
]

/** What a client that asked for signed answers has to refuse as well. */
export const beyondTheSignedClientPlan: readonly ClientModule[] = [
  signedResponse('beyond: plain-response', { otherResponseMode: true }),
  {
    name: 'beyond: plain-error',
    misbehaviour: {
      otherResponseMode: true,
      authorizationResponse: (answer) => {
        answer.delete('code')
        answer.set('error', 'access_denied')
      },
    },
    outcome: 'stops after authorize',
  },
  signedResponse('beyond: RS256', { signedResponseAlgorithm: 'RS256' }),
  signedResponse('beyond: missing-signature', { spoilResponse: (made) => `${made.split('.').slice(0, 2).join('.')}.` }),
  responseClaims('beyond: nbf-in-the-future', () => ({ nbf: minutesAgo(-6) })),
  responseClaims('beyond: code-of-a-wrong-type', () => ({ code: 5 })),
  responseClaims('beyond: code-beside-error', () => ({ error: 'access_denied' })),
  completes('beyond: aud-as-array', { signedResponse: (usual) => ({ ...usual, aud: ['another', usual.aud] }) }),
]

/** What a FAPI 2.0 client has to refuse as well, though the plan has no module for it. */
export const beyondTheClientPlan: readonly ClientModule[] = [
  idToken('beyond: invalid-signature', { spoil: withBadSignature }),
  idToken('beyond: missing-signature', { spoil: (made) => `${made.split('.').slice(0, 2).join('.')}.` }),
  idToken('beyond: missing-id-token', { tokenResponse: (usual) => replaced(usual, { id_token: undefined }) }),
  claims('beyond: missing-sub', () => ({ sub: undefined })),
  claims('beyond: missing-iat', () => ({ iat: undefined })),
  {
    name: 'beyond: token-type-bearer',
    misbehaviour: { tokenResponse: (usual) => ({ ...usual, token_type: 'Bearer' }) },
    outcome: 'stops after token',
  },
  response('beyond: repeated-code', (answer) => answer.append('code', 'another-code')),
  response('beyond: repeated-iss', (answer) => answer.append('iss', answer.get('iss') ?? '')),
  response('beyond: repeated-state', (answer) => answer.append('state', answer.get('state') ?? '')),
  response('beyond: code-beside-error', (answer) => answer.set('error', 'access_denied')),
  signedResponse('beyond: signed-response', { otherResponseMode: true }),
]
