import { createHash, randomBytes } from 'node:crypto'
import type { Parameters, SuiteClient } from './_server-under-test.js'

/** One authorization request, from its making to the tokens. */
export interface Attempt {
  readonly client: SuiteClient
  readonly state: string | undefined
  readonly nonce: string | undefined
  readonly verifier: string
  /** What is pushed, client authentication left out. */
  readonly parameters: Parameters
}

/** A new authorization request, as the suite makes it for this client. */
export function createAttempt(client: SuiteClient, openid: boolean, overrides: Parameters): Attempt {
  const verifier = randomBytes(32).toString('base64url')
  const [stateBytes, nonceLength] = client.which === 2 ? [64, 43] : [5, 10]
  const usual = {
    response_type: 'code',
    client_id: client.id,
    redirect_uri: client.redirectUri,
    scope: client.scope,
    state: randomBytes(stateBytes).toString('hex'),
    nonce: openid ? randomBytes(33).toString('base64url').slice(0, nonceLength) : undefined,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }
  const parameters: Parameters = { ...usual, ...overrides }
  return { client, state: parameters.state, nonce: parameters.nonce, verifier, parameters }
}
