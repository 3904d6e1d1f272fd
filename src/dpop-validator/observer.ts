import { randomUUID } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { proofFaults } from '../dpop/checks.js'
import { usableRequestId } from '../http/request-id.js'
import { maskedAddress } from '../http/trusted-peers.js'
import { channelName, type ValidatorEvent } from '../telemetry/events.js'
import { noteOrigin } from '../telemetry/request-origin.js'
import { inTraceOf } from '../telemetry/tracing.js'
import type { Auth } from './auth.js'
import { createMetrics } from './metrics.js'
import type { ApiRequest } from './request/api-request.js'
import { valuesOf } from './request/header-fields.js'
import { type AuthError, refusals } from './response/auth-error.js'

/** All receivers of events: the option, the `sallyport` diagnostics channel, the counters. */
export interface Observer {
  readonly emit: (event: ValidatorEvent) => void
  accepted(auth: Auth, request: ApiRequest): void
  /** @param hint What the operator may have got wrong; asked for only when there is a listener. */
  refused(error: AuthError, request: ApiRequest, beforeCrypto: boolean, hint: () => string | undefined): void
  metrics(): string
}

/** Refusals of every request, when the configuration is wrong. */
const warnings: ReadonlyMap<string, string> = new Map([
  [proofFaults.htu.check, 'SALLYPORT_HTU'],
  [refusals.aud.check, 'SALLYPORT_AUDIENCE'],
  [refusals.iss.check, 'SALLYPORT_ISSUER'],
])

export function createObserver(onEvent: ((event: ValidatorEvent) => void) | undefined): Observer {
  const events = channel(channelName)
  const metrics = createMetrics()
  const warned = new Set<string>()
  const isHeard = (): boolean => onEvent !== undefined || events.hasSubscribers
  const emit = (event: ValidatorEvent): void => {
    try {
      onEvent?.(event)
    } catch (error) {
      // A listener does not decide: the request is let through or refused by now, and its proof used up.
      process.emitWarning(error instanceof Error ? error : new TypeError('onEvent threw what is no Error'))
    }
    if (events.hasSubscribers) events.publish(event)
  }

  const tell = (event: ValidatorEvent, request: ApiRequest): void => inTraceOf(request, () => emit(event))

  return {
    emit,

    accepted({ jkt, clientId, proof, cached }, request) {
      metrics.accepted(proof?.age, cached)
      if (!isHeard()) return
      const requestId = claimedRequestId(request)
      const event: ValidatorEvent = {
        type: 'validator.request.accepted',
        token: cached ? 'known' : 'new',
        ...(requestId !== undefined && { requestId }),
        ...(jkt !== undefined && { jkt }),
        ...(clientId !== undefined && { client: clientId }),
        ...(proof !== undefined && { proofAge: proof.age }),
      }
      tell(event, request)
    },

    refused({ code, check }, request, beforeCrypto, hint) {
      metrics.refused(check, code, beforeCrypto)
      if (isHeard()) {
        const claimed = claimedRequestId(request)
        const found = hint()
        const event: ValidatorEvent = {
          type: 'validator.request.refused',
          code,
          check,
          beforeCrypto,
          requestId: notedRequest(request),
          ...(claimed !== undefined && { claimedRequestId: claimed }),
          ...(request.peer !== undefined && { address: maskedAddress(request.peer) }),
          ...(found !== undefined && { hint: found }),
        }
        return tell(event, request)
      }
      // Once per process where there is no listener: enough to find it, too little to fill a disk with.
      const warning = warnings.get(check)
      const found = warning === undefined || warned.has(warning) ? undefined : hint()
      if (warning === undefined || found === undefined) return
      warned.add(warning)
      process.emitWarning(found, { code: warning })
    },

    metrics: () => metrics.text(),
  }
}

function claimedRequestId({ rawHeaders }: ApiRequest): string | undefined {
  const [id, ...others] = valuesOf(rawHeaders, 'x-request-id')
  return others.length === 0 ? usableRequestId(id) : undefined
}

/** An id of its own: the one that it claims may be another request's. */
function notedRequest({ peer = '', rawHeaders }: ApiRequest): string {
  const requestId = randomUUID()
  noteOrigin('validator', requestId, () => ({ address: peer, userAgent: valuesOf(rawHeaders, 'user-agent')[0] ?? '' }))
  return requestId
}
