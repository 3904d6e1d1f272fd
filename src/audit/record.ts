import { randomUUID } from 'node:crypto'
import type { RequestOrigin } from '../telemetry/request-origin.js'
import { type AuditAction, auditActions } from './actions.js'
import type { Disguise } from './disguise.js'
import type { Act, Details } from './views.js'

/** Who did what, when, from where, and how it ended. `audit.schema.json` has the same as a JSON Schema. */
export interface AuditRecord {
  /** Unique: what receives a record twice can tell. */
  readonly id: string
  /** RFC 3339, UTC. */
  readonly time: string
  /** What was done, or tried. */
  readonly action: AuditAction
  /** Each action has one. */
  readonly outcome: 'success' | 'failure'
  /** Why, in a word that does not change: a code of `docs/errors.md` or of OAuth, or how a session ended. */
  readonly code?: string
  /** The user, as the authorization server calls them. */
  readonly subject?: string
  /** `client_id` at the embedded authorization server. */
  readonly client?: string
  /** Its name. */
  readonly frontend?: string
  /** Handle of the session, as in the user's own list. */
  readonly session?: string
  /** Of the browser or the client. */
  readonly address?: string
  /** As the browser says it, cut. */
  readonly userAgent?: string
  /** As in the log, in the answer and at the API. */
  readonly requestId?: string
  /** Where there are traces. */
  readonly traceId?: string
  /** What else is known: the members depend on the action. */
  readonly details?: Details
}

export interface Surroundings {
  /** Undefined: it did not happen on behalf of a request. */
  readonly origin: RequestOrigin | undefined
  readonly traceId: string | undefined
  readonly disguise: Disguise
  readonly now: Date
}

export function recordOf(act: Act, { origin, traceId, disguise, now }: Surroundings): AuditRecord {
  const { action, details } = act
  const { code, client, frontend, session = origin?.session, requestId } = act
  const { subject = origin?.subject, address = origin?.address } = act
  return withoutAbsent({
    id: randomUUID(),
    time: now.toISOString(),
    action,
    outcome: auditActions[action].outcome,
    code,
    subject: subject === undefined || subject === '' ? undefined : disguise.subject(plain(subject)),
    client: client === undefined ? undefined : plain(client),
    frontend,
    session,
    address: address === undefined || address === '' ? undefined : disguise.address(plain(address)),
    userAgent: origin === undefined || origin.userAgent === '' ? undefined : plain(origin.userAgent),
    requestId,
    traceId,
    details: details && plainDetails(details, disguise),
  })
}

/** Networks and a user that an administrator has named are as telling as an address and a subject. */
function plainDetails(details: Details, disguise: Disguise): Details {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      typeof value === 'string' ? (name === 'network' ? disguise.address(plain(value)) : plain(value)) : value,
    ]),
  )
}

/** One line of one record, whatever a caller has sent: no control characters, and no more than can be read. */
function plain(text: string): string {
  return text.slice(0, 300).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')
}

function withoutAbsent<Value extends object>(value: Value): { [Name in keyof Value]: Exclude<Value[Name], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never
}
