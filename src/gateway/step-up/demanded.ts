import { publish } from '../../telemetry/events.js'
import { inTraceOf } from '../../telemetry/tracing.js'
import type { UpstreamResponse } from '../forwarding/upstream-response.js'
import type { ProxiedRequest } from '../request.js'
import { stepUpChallenge } from './step-up-challenge.js'

/**
 * An API that wants the user to sign in more strongly or more recently: what it says becomes a login.
 * @throws Refusal `bff.step_up.required`, `bff.step_up.repeated`
 */
export function assertNotDemanded(
  { open, frontend, route, requestId, request }: ProxiedRequest,
  response: Pick<UpstreamResponse, 'headers' | 'skip'>,
): void {
  // Who has no session has nothing that could be stepped up.
  if (open === undefined) return
  const challenge = stepUpChallenge(response.headers['www-authenticate'] ?? '')
  if (challenge.kind === 'none') return
  if (challenge.kind === 'unusable') {
    const event = { type: 'gateway.step-up.unusable', frontend: frontend.name, requestId, route: route.path } as const
    inTraceOf(request, () => publish(event))
    return
  }
  response.skip()
  throw frontend.stepUp.required(
    open.session,
    challenge.requirements,
    'the API asks for a stronger or more recent sign-in',
  )
}
