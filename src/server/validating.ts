import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ValidateConfiguration } from '../config/options/forward-auth-options.js'
import { createVerifier, type Verifier } from '../dpop-validator/dpop-validator.js'
import type { ApiRequest } from '../dpop-validator/request/api-request.js'
import { send } from '../dpop-validator/response/send-answer.js'
import { ProtocolError } from '../errors.js'
import { createForgedFields } from '../gateway/forward-auth/forged-fields.js'
import { askedRequest } from '../http/forward-auth/asked-request.js'
import { createIdentity } from '../http/forward-auth/identity-fields.js'
import { type Question, questionListener } from '../http/forward-auth/question.js'
import { sayYesOnlyWhenGranted } from '../http/forward-auth/spoken-status.js'
import { answerYes } from '../http/forward-auth/yes.js'
import { problemDetails, problemMediaType } from '../http/problem-details.js'
import { continueTrace } from '../telemetry/tracing.js'

/**
 * Answers proxies that ask about calls of API clients: token, proof and binding are checked here, for APIs of any language. One
 * verifier for each origin, so that a proof for one of them is good at no other.
 */
export function createValidating(
  { verifier, publicUrls, identityFields }: ValidateConfiguration,
  trustedProxies: readonly string[],
): RequestListener {
  const verifiers = new Map(
    publicUrls.map((publicUrl) => [publicUrl, createVerifier({ ...verifier, publicUrl })] as const),
  )
  const identity = createIdentity(identityFields)
  const forgedField = createForgedFields(Object.keys(identityFields))

  const decide = async (question: Question, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const grants = sayYesOnlyWhenGranted(response)
    const asked = askedRequest(question, request)
    const verifierOf: Verifier | undefined = verifiers.get(`${asked.scheme}://${asked.host.toLowerCase()}`)
    if (verifierOf === undefined)
      return refuse(response, 403, 'the proxy asks about an origin that "PublicUrls" does not name')
    const forged = forgedField(asked)
    if (forged !== undefined) return refuse(response, 403, `no client may send the field "${forged}"`)
    const { method = '', url: target = '', rawHeaders } = asked.request
    const apiRequest: ApiRequest = { method, target, rawHeaders, peer: undefined }
    continueTrace(request, apiRequest)
    const verdict = await verifierOf.verify(apiRequest)
    switch (verdict.kind) {
      case 'accepted':
        if (question.about === 'refusal')
          return refuse(response, 503, 'what was refused a moment ago may pass now: repeat the request')
        for (const [name, value] of verdict.headers) response.setHeader(name, value)
        grants()
        return answerYes(response, asked, { fields: identity(verdict.auth.claims) })
      case 'refused':
        return send(response, request.method, verdict.answer)
      case 'public':
      case 'preflight':
        return refuse(response, 403, 'this address is for no client')
    }
  }

  return questionListener(trustedProxies, (question, request, response) => {
    decide(question, request, response).catch((error: unknown) => {
      if (error instanceof ProtocolError) return refuse(response, 400, error.message)
      process.emitWarning(error instanceof Error ? error : new TypeError('a verifier threw what is no Error'))
      refuse(response, 503, 'this cannot be decided at the moment')
    })
  })
}

function refuse(response: ServerResponse, status: 400 | 403 | 503, detail: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const title = { 400: 'Bad Request', 403: 'Forbidden', 503: 'Service Unavailable' }[status]
  const code = 'server.forward_auth.refused'
  const body = JSON.stringify(problemDetails({ status, title, detail, code, requestId: randomUUID() }))
  if (status === 503) response.setHeader('Retry-After', '2')
  response.setHeader('Cache-Control', 'no-store')
  response.writeHead(status, { 'Content-Type': problemMediaType, 'Content-Length': Buffer.byteLength(body) }).end(body)
}
