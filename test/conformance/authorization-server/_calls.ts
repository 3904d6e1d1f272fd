import type { ExecutionContext } from 'ava'
import type { ClientSecurity } from '../_client-security.js'
import { type Answer, form, formContentType, type Send } from '../_http.js'
import { checkNonce, type Side } from './_answers.js'
import { type AssertionKnobs, createCredentials, type ProofKnobs, type RequestObjectKnobs } from './_credentials.js'
import type { Parameters, ServerUnderTest, SuiteClient } from './_server-under-test.js'

export interface CallKnobs {
  /** `none`: no proof at all. */
  readonly proof?: ProofKnobs | 'none'
  /** `none`: the client is not authenticated. */
  readonly assertion?: AssertionKnobs | 'none'
  /** `none`: the request is not signed. Only where the plan signs requests. */
  readonly object?: RequestObjectKnobs | 'none'
  /** Beside the request object, where there is one. */
  readonly form?: Parameters
  readonly headers?: readonly string[]
  readonly method?: string
}

export interface ResourceKnobs {
  readonly proof?: ProofKnobs | 'none'
  readonly scheme?: string
  readonly headers?: readonly string[]
  readonly url?: string
  readonly method?: string
  /** How the header is made of a proof. Default: one `dpop` header. */
  readonly proofHeaders?: (proof: string) => readonly string[]
}

/** How the clients of a plan call. */
export interface CallSecurity extends ClientSecurity {
  /** Where a certificate is shown, for the URL of an endpoint. */
  readonly aliasOf: (url: string) => string
}

/** Calls of the endpoints that are not for browsers, with a nonce where one was handed out. */
export function createCalls(t: ExecutionContext, server: ServerUnderTest, send: Send, by: CallSecurity) {
  const { assertion, requestObject, prove } = createCredentials(server)
  const nonces = new Map<Side, string>()
  let repeatsAllowed = 2

  function inspect(side: Side, answer: Answer): boolean {
    const challenged = checkNonce(t, side, answer)
    const [nonce] = answer.header('dpop-nonce')
    if (nonce !== undefined) nonces.set(side, nonce)
    return challenged
  }

  /** Repeats a call that is answered with a nonce challenge, at most twice, as the suite does. */
  async function withNonce(side: Side, call: (nonce: string | undefined) => Promise<Answer>): Promise<Answer> {
    for (let repeats = 0; ; repeats++) {
      const answer = await call(nonces.get(side))
      if (!inspect(side, answer) || repeatsAllowed === 0) return answer
      t.true(repeats < repeatsAllowed, 'a third nonce challenge in a row')
    }
  }

  return {
    prove,
    requestObject,
    inspect,
    withNonce,
    nonceOf: (side: Side) => nonces.get(side),
    forgetNonces: () => nonces.clear(),

    /** A call that takes a nonce challenge for its answer. */
    async once(call: () => Promise<Answer>): Promise<Answer> {
      repeatsAllowed = 0
      try {
        return await call()
      } finally {
        repeatsAllowed = 2
      }
    },

    /** A form post. Like the suite, it sends the same assertion again when it is challenged for a nonce. */
    post(client: SuiteClient, url: string, parameters: Parameters, knobs: CallKnobs): Promise<Answer> {
      const { proof = 'none', method = 'POST', headers = [] } = knobs
      const isForToken = parameters.grant_type !== undefined
      const byCertificate = by.authentication === 'mtls' || (by.constraint === 'mtls' && isForToken)
      // Without what it authenticates with, or without what its tokens are to be bound to.
      const withoutIt =
        (by.authentication === 'mtls' && knobs.assertion === 'none') ||
        (by.constraint === 'mtls' && knobs.proof === 'none')
      const authentication =
        by.authentication === 'mtls'
          ? { client_id: client.id }
          : knobs.assertion === 'none'
            ? {}
            : {
                client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
                client_assertion: assertion(client, knobs.assertion ?? {}),
              }
      const body = form({ ...authentication, ...parameters, ...knobs.form })
      const at = byCertificate ? by.aliasOf(url) : url
      const certificate = byCertificate && !withoutIt ? client.certificate : undefined
      return withNonce('server', (nonce) => {
        const isProven = proof !== 'none' && by.constraint === 'dpop'
        const proofs = isProven ? ['dpop', prove(client, { method: 'POST', url: at, nonce }, proof)] : []
        const all = [...formContentType, 'accept', 'application/json', ...proofs, ...headers]
        return send(at, { method, headers: all, body, certificate })
      })
    },

    /** A call of a protected resource as it is answered. */
    callResource(client: SuiteClient, accessToken: string, knobs: ResourceKnobs = {}): Promise<Answer> {
      const {
        proof = {},
        scheme = by.constraint === 'mtls' ? 'Bearer' : 'DPoP',
        headers = [],
        url = server.resourceUrl,
        method = 'GET',
      } = knobs
      const { proofHeaders = (made) => ['dpop', made] } = knobs
      return withNonce('resource', (nonce) => {
        const target = { method, url, nonce, accessToken }
        const isProven = proof !== 'none' && by.constraint === 'dpop'
        const proofs = isProven ? proofHeaders(prove(client, target, proof)) : []
        const certificate = by.constraint === 'mtls' && proof !== 'none' ? client.certificate : undefined
        const all = ['authorization', `${scheme} ${accessToken}`, ...proofs, ...headers]
        return send(url, { method, headers: all, certificate })
      })
    },
  }
}
