import { channel } from 'node:diagnostics_channel'
import { proofFaults } from '../dpop/checks.js'
import { channelName, type ValidatorEvent } from '../telemetry/events.js'
import type { Auth } from './auth.js'
import { createMetrics } from './metrics.js'
import { type AuthError, refusals } from './response/auth-error.js'

/** All receivers of events: the option, the `sallyport` diagnostics channel, the counters. */
export interface Observer {
  readonly emit: (event: ValidatorEvent) => void
  accepted(auth: Auth): void
  /** @param hint What the operator may have got wrong; asked for only when there is a listener. */
  refused(error: AuthError, beforeCrypto: boolean, hint: () => string | undefined): void
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

  return {
    emit,

    accepted({ jkt, clientId, proof, cached }) {
      metrics.accepted(proof?.age, cached)
      if (!isHeard()) return
      emit({
        type: 'validator.request.accepted',
        token: cached ? 'known' : 'new',
        ...(jkt !== undefined && { jkt }),
        ...(clientId !== undefined && { client: clientId }),
        ...(proof !== undefined && { proofAge: proof.age }),
      })
    },

    refused({ code, check }, beforeCrypto, hint) {
      metrics.refused(check, code, beforeCrypto)
      if (isHeard()) {
        const event = { type: 'validator.request.refused', code, check, beforeCrypto } as const
        const found = hint()
        return emit(found === undefined ? event : { ...event, hint: found })
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
