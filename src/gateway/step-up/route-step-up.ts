import type { RouteOptions } from '../route-options.js'
import type { Session } from '../session/session-record.js'
import { requirementsOfRoute, unmetBy } from './requirements.js'
import type { StepUp } from './step-up.js'

/** What a route asks of the sign-in of its users. */
export interface RouteStepUp {
  /** Parameters of the login link for a user who has no session. */
  readonly loginParameters: Readonly<Record<string, string>>
  /** @throws Refusal `bff.step_up.required` */
  assertMet(session: Pick<Session, 'record'>): void
}

/** Undefined for a route that takes any sign-in. */
export function createRouteStepUp(route: RouteOptions, stepUp: StepUp, now: () => number): RouteStepUp | undefined {
  const requirements = requirementsOfRoute(route)
  if (requirements === undefined) return undefined
  return {
    loginParameters: stepUp.parametersOf(requirements),
    assertMet(session) {
      const unmet = unmetBy(session.record.authentication ?? {}, requirements, now())
      if (unmet !== undefined)
        throw stepUp.required(
          session,
          requirements,
          unmet === 'acr' ? 'this route asks for a stronger sign-in' : 'this route asks for a more recent sign-in',
        )
    },
  }
}
