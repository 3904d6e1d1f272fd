import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { refusals } from '../../gateway/refusal.js'
import { channelName, type SallyportEvent } from '../../telemetry/events.js'
import { isUsualRefusal } from '../../telemetry/usual-refusal.js'

/** What was refused, or failed, a short while ago. */
export interface RecentRefusal {
  /** Seconds since the epoch. */
  readonly at: number
  /** The event's name, as in the log. */
  readonly event: string
  /** Explained in docs/errors.md. */
  readonly code: string
  /** For the log's line of the same request. */
  readonly requestId?: string
  readonly frontend?: string
  readonly route?: string
  readonly reason?: string
  /** What an authorization server said. */
  readonly serverSaid?: string
  readonly remedy?: string
}

export interface RecentRefusals {
  /** The newest first. */
  all(): readonly RecentRefusal[]
  close(): void
}

/** How many are kept: a flood drives out what was before it, and costs no memory. */
const most = 200

export function createRecentRefusals(now: () => number = () => Date.now() / 1000): RecentRefusals {
  const ring: RecentRefusal[] = []
  const listener = (message: unknown): void => {
    const refusal = refusalOf(message as SallyportEvent, now())
    if (refusal === undefined) return
    ring.unshift(refusal)
    ring.length = Math.min(ring.length, most)
  }
  subscribe(channelName, listener)
  return { all: () => [...ring], close: () => void unsubscribe(channelName, listener) }
}

function refusalOf(event: SallyportEvent, at: number): RecentRefusal | undefined {
  if (isUsualRefusal(event)) return undefined
  const { type } = event
  switch (type) {
    case 'gateway.request.refused': {
      const { code, requestId, frontend, route, reason, serverError, serverDescription, remedy } = event
      const said = [serverError, serverDescription].filter((part) => part !== undefined).join(': ')
      return defined({
        at,
        event: type,
        code,
        requestId,
        frontend,
        route,
        reason,
        serverSaid: said || undefined,
        remedy: remedy ?? remedyOf(code),
      })
    }
    case 'gateway.request.failed':
      return defined({
        at,
        event: type,
        code: 'failed',
        requestId: event.requestId,
        frontend: event.frontend,
        reason: event.error,
        remedy: 'A fault of ours: please report it, with the log lines of this request.',
      })
    case 'gateway.session.refresh-failed': {
      const { code, requestId, frontend, serverError, serverDescription, remedy } = event
      const said = [serverError, serverDescription].filter((part) => part !== undefined).join(': ')
      return defined({ at, event: type, code, requestId, frontend, serverSaid: said || undefined, remedy })
    }
    case 'as.request.refused':
      return {
        at,
        event: type,
        code: event.code,
        requestId: event.requestId,
        reason: event.reason,
        ...(event.client && { frontend: event.client }),
      }
    case 'as.request.failed':
      return defined({ at, event: type, code: 'failed', requestId: event.requestId, reason: event.error })
    case 'validator.request.refused': {
      // By the caller's id there are more lines: those of the gateway.
      const { code, requestId, claimedRequestId = requestId, check: reason, hint: remedy } = event
      return defined({ at, event: type, code, requestId: claimedRequestId, reason, remedy })
    }
    case 'server.request.refused':
      return { at, event: type, code: event.code, requestId: event.requestId }
    default:
      return undefined
  }
}

/** What the person was told to do. */
function remedyOf(code: string): string | undefined {
  return (refusals as Readonly<Record<string, { readonly remedy: string }>>)[code]?.remedy
}

type Defined<Given> = { [Name in keyof Given]: Exclude<Given[Name], undefined> }

function defined<Given extends object>(given: Given): Defined<Given> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<Given>
}
