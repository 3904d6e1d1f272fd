import type { Seal } from '../../store/seal.js'
import type { Store } from '../../store/store.js'
import { Refusal } from '../refusal.js'
import type { Session, SessionRecord } from '../session/session-record.js'
import { type Requirements, textOf } from './requirements.js'
import { createStepUpLinks, type StepUpLinks } from './step-up-link.js'

/** A login on top of a session, because the sign-in of that session is not enough (RFC 9470). */
export interface StepUp extends StepUpLinks {
  /** What to answer where a session's sign-in does not meet the requirements. @param detail for the developer */
  required(session: Pick<Session, 'record'>, requirements: Requirements, detail: string): Refusal
  /** Counts a step-up that begins. @throws Refusal `bff.login.loop` */
  begin(session: Pick<Session, 'key' | 'record'>): Promise<void>
}

export interface StepUpOptions {
  readonly name: string
  readonly seal: Pick<Seal, 'blindIndexes'>
  readonly store: Pick<Store, 'count'>
  readonly now: () => number
}

/** Of one user within `window` seconds, in all their browsers. */
const most = 5
const window = 60
/** Seconds within which no person signs in twice by hand. */
const quickest = 10

export function createStepUp({ name, seal, store, now }: StepUpOptions): StepUp {
  const links = createStepUpLinks(seal, name)
  return {
    ...links,

    required({ record }, requirements, detail) {
      return wasJustAsked(record, requirements, now())
        ? new Refusal(
            'bff.step_up.repeated',
            'the user has signed in for this just now, and it is asked for again: the API and the authorization server do not agree about acr or auth_time',
          )
        : new Refusal('bff.step_up.required', detail, { loginParameters: links.parametersOf(requirements) })
    },

    async begin({ key, record: { subject, server } }) {
      const user =
        subject === undefined ? key : seal.blindIndexes(`step-up ${name} ${server?.authority ?? ''} ${subject}`)[0]
      const { counted } = await store.count(`step-up:${name}:${user}`, 1, { limit: most, window })
      if (!counted)
        throw new Refusal(
          'bff.login.loop',
          'Five sign-ins on top of a session within a minute, and none of them was enough: compare what routes and APIs ask for with the acr and auth_time that the authorization server says.',
        )
    },
  }
}

/** Whether asking once more would go round in circles: the same was asked for just now, and we see nothing that has changed. */
function wasJustAsked({ askedFor, createdAt, authentication }: SessionRecord, requirements: Requirements, now: number) {
  const { maxAge = Number.POSITIVE_INFINITY } = requirements
  const age = now - (authentication?.time ?? now)
  return askedFor === textOf(requirements) && now - createdAt < window && age <= Math.max(maxAge, quickest)
}
