import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { isSecureUrl } from '../http/secure-url.js'
import { createBoundedCache } from '../store/bounded-cache.js'
import { channelName, type SallyportEvent } from '../telemetry/events.js'
import { noteOriginsIn, originOfEvent, type RequestOrigin } from '../telemetry/request-origin.js'
import { traceId } from '../telemetry/request-traces.js'
import { withoutSecrets } from '../telemetry/without-secrets.js'
import { createDisguise, type Disclosure } from './disguise.js'
import { createEndpointDestination, type EndpointOptions } from './endpoint-destination.js'
import { openAuditFile } from './file-destination.js'
import { createLosses } from './losses.js'
import { type AuditRecord, recordOf } from './record.js'
import { actOf } from './views.js'

export type { AuditAction } from './actions.js'
export type { Disclosure } from './disguise.js'
export type { EndpointOptions } from './endpoint-destination.js'
export type { AuditRecord } from './record.js'

/** Requests of this process, and logins under way, of which it is known whose they are. */
const requestsAtOnce = 20_000

/** Where audit records go, and how much they say of a person. */
export interface AuditOptions {
  /** Told of every record, in the order in which things happen. What it throws is reported as a warning of the process. */
  readonly onRecord?: (record: AuditRecord) => void
  /** One JSON document a line is appended, mode 0600; a file that was renamed is opened anew. Default: no file. */
  readonly file?: string
  /** Where batches are posted. Default: nowhere. */
  readonly endpoint?: EndpointOptions
  /** How users are named. Default: `full`. */
  readonly subject?: Disclosure
  /** How addresses are named. Default: `full`. */
  readonly address?: Disclosure
  /** For `hashed`: at least 32 bytes. Another key makes other hashes of the same people. */
  readonly hashKey?: string | Uint8Array
  /** Tests pass their own. */
  readonly now?: () => Date
}

/** Writes down what happens, until it is closed. */
export interface Audit {
  /** Writes what waits. @param seconds How long the endpoint may take at most, 5 where nothing is said. */
  close(seconds?: number): Promise<void>
}

/**
 * Writes down who did what, when: a view of the events of all products of this process, made with their options or not.
 * @throws TypeError for `hashed` without a key, and for an endpoint that is neither https nor http on loopback
 * @throws Error of the system for a file that cannot be opened
 * @example
 * ```ts
 * import { createAudit } from 'sallyport'
 *
 * const audit = createAudit({
 *   onRecord: ({ time, action, outcome, subject }) => console.log(time, action, outcome, subject),
 *   address: 'masked',
 * })
 * process.once('SIGTERM', () => audit.close())
 * ```
 */
export function createAudit({
  onRecord,
  file,
  endpoint,
  subject = 'full',
  address = 'full',
  hashKey,
  now = () => new Date(),
}: AuditOptions): Audit {
  if (endpoint !== undefined && !isSecureUrl(endpoint.url))
    throw new TypeError('an audit endpoint is https, or http on loopback')
  const disguise = createDisguise({ subject, address, hashKey })
  const toFile = file === undefined ? undefined : openAuditFile(file, createLosses('file'))
  const toEndpoint = endpoint && createEndpointDestination(endpoint, createLosses('endpoint'))
  const hear = (message: unknown): void => {
    const event = message as SallyportEvent
    const act = actOf(event)
    if (act === undefined) return
    const origin = originOfEvent(event.type, act.requestId)
    const record = recordOf(act, { origin, traceId: traceId(event.type, act.requestId), disguise, now: now() })
    tell(onRecord, record)
    if (toFile === undefined && toEndpoint === undefined) return
    const line = `${withoutSecrets(JSON.stringify(record))}\n`
    toFile?.write(line)
    toEndpoint?.write(line)
  }
  noteOriginsIn(createBoundedCache<RequestOrigin>(requestsAtOnce))
  subscribe(channelName, hear)
  return {
    async close(seconds = 5) {
      unsubscribe(channelName, hear)
      noteOriginsIn(undefined)
      toFile?.close()
      await toEndpoint?.close(seconds)
    },
  }
}

/** Who listens does not decide: what has happened has happened. */
function tell(onRecord: AuditOptions['onRecord'], record: AuditRecord): void {
  try {
    onRecord?.(record)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new TypeError('onRecord threw what is no Error'))
  }
}
