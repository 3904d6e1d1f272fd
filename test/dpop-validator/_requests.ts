import type { ApiRequest, Verdict, Verifier } from '../../src/dpop-validator/dpop-validator.js'
import type { TestIssuer, TestKey } from '../../src/dpop-validator/testing/test-issuer.js'

export const publicUrl = 'https://api.example'

export interface Call {
  readonly method?: string
  readonly target?: string
  readonly htu?: string
  readonly token?: string
  readonly key?: TestKey
  readonly nonce?: string
  readonly proof?: string | undefined
  readonly scheme?: string
  readonly headers?: readonly string[]
  readonly host?: string
  readonly peer?: string
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A client of an API: one key, one token, a new proof for each request unless told otherwise. */
export function createClient(issuer: TestIssuer, verifier: Verifier, key: TestKey = issuer.generateKey()) {
  const token = issuer.mintToken(key.jkt)
  const request = (call: Call = {}): ApiRequest => {
    const { method = 'GET', target = '/orders', scheme = 'DPoP', headers = [], host = 'api.example', peer } = call
    const sent = call.token ?? token
    const url = call.htu ?? `${publicUrl}${target}`
    const { nonce, claims } = call
    const minted = {
      method,
      url,
      key: call.key ?? key,
      token: sent,
      ...(nonce !== undefined && { nonce }),
      ...(claims && { claims }),
    }
    const proof = 'proof' in call ? call.proof : issuer.mintProof(minted)
    return {
      method,
      target,
      rawHeaders: [
        ...['Host', host, 'Authorization', `${scheme} ${sent}`],
        ...(proof === undefined ? [] : ['DPoP', proof]),
        ...headers,
      ],
      peer: peer ?? '127.0.0.1',
    }
  }
  return {
    key,
    token,
    request,
    send: async (call: Call = {}): Promise<Verdict> => verifier.verify(request(call)),
  }
}

/** `accepted`, or the code of the refusal. */
export function outcome(verdict: Verdict): string {
  return verdict.kind === 'refused' ? verdict.error.code : verdict.kind
}

export function headerOf(verdict: Verdict, name: string): string | undefined {
  if (verdict.kind === 'accepted') return verdict.headers.find(([one]) => one === name)?.[1]
  if (verdict.kind !== 'refused') return undefined
  const value = verdict.answer.headers[name]
  return typeof value === 'string' || value === undefined ? value : value.join(' | ')
}
