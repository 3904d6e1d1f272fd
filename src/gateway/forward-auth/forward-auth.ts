import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type AskedRequest, askedRequest } from '../../http/forward-auth/asked-request.js'
import { createIdentity } from '../../http/forward-auth/identity-fields.js'
import { questionListener } from '../../http/forward-auth/question.js'
import { sayYesOnlyWhenGranted } from '../../http/forward-auth/spoken-status.js'
import { addressBehind } from '../../http/trusted-peers.js'
import { continueTrace } from '../../telemetry/tracing.js'
import { createAuthorize } from '../forwarding/dpop.js'
import { Refusal } from '../refusal.js'
import type { Generation } from '../reload/generation.js'
import type { GatewayRequest } from '../request.js'
import { parseRequestTarget } from '../routing/request-target.js'
import type { Way } from '../steps.js'
import { createForgedFields } from './forged-fields.js'
import { createGrant } from './grant.js'
import type { ForwardAuthOptions } from './options.js'

/**
 * Answers proxies that forward by themselves and ask first. A request that they ask about passes the same steps as one that is
 * forwarded here; only its delivery is another: its proxy gets what to send along.
 */
export function createForwardAuth(
  { trustedProxies = [], identityFields = {} }: ForwardAuthOptions = {},
  generation: () => Generation,
  handle: (request: IncomingMessage, response: ServerResponse, way: Way) => Promise<void>,
): RequestListener {
  const authorize = createAuthorize()
  const identity = createIdentity(identityFields)
  const forgedField = createForgedFields(Object.keys(identityFields))

  return questionListener(trustedProxies, (question, request, response) => {
    const grants = sayYesOnlyWhenGranted(response)
    let asked: AskedRequest | undefined
    const grant = createGrant({ authorize, identity, grants, asked: () => asked })
    void handle(request, response, {
      receive(_, requestId) {
        asked = askedRequest(question, request)
        continueTrace(request, asked.request)
        const call = received(asked, requestId, generation())
        assertNotForged(forgedField(asked))
        return call
      },
      delivery: {
        endpoint() {
          throw new Refusal(
            'bff.endpoint.unknown',
            'this address is the gateway\'s own: your proxy has to forward it to "Server.Listen" without asking',
          )
        },
        page(call, sent) {
          assertClosedPage(call)
          return grant(call, sent)
        },
        forward: (call, sent) => grant(call, sent),
      },
    })
  })
}

function assertNotForged(name: string | undefined): void {
  if (name !== undefined) throw new Refusal('bff.forward_auth.forged_field', `no client may send the field "${name}"`)
}

/**
 * What no route covers passes only where the page is for users with a session: that has been looked at by then. Elsewhere it
 * would be open to all, behind a proxy that was told to ask.
 */
function assertClosedPage({ frontend, target }: GatewayRequest): void {
  if (frontend.options.requireLogin !== 'Page')
    throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path, so that no one may pass')
  if (target.reading !== target.path && frontend.matchRoute({ ...target, path: target.reading }) !== undefined)
    throw new Refusal('bff.request.ambiguous_target', 'the path can be read as one of a route')
}

function received(asked: AskedRequest, requestId: string, { isTrustedPeer, select }: Generation): GatewayRequest {
  const { request, host, forwardedFor, isUpgrade } = asked
  const address = addressBehind(forwardedFor, isTrustedPeer)
  if (address === undefined)
    throw new Refusal('bff.request.malformed', 'the proxy in front does not tell who has called it')
  const target = parseRequestTarget(request.url ?? '', host)
  return { requestId, request, target, client: { address, host }, frontend: select(host, target), isUpgrade }
}
