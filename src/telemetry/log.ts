import { subscribe } from 'node:diagnostics_channel'
import { type DestinationStream, type Logger, pino } from 'pino'
import { channelName, publish, type SallyportEvent } from './events.js'
import { createLineWriter } from './line-writer.js'
import { traceId } from './request-traces.js'
import { isUsualRefusal } from './usual-refusal.js'
import { withoutSecrets } from './without-secrets.js'

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Default: standard output. */
  readonly destination?: DestinationStream
}

/**
 * JSON lines. No event has a field for a secret; that none slips in by an error's message is what the last filter is for:
 * whatever looks like a token, a private key member or a password in a URL is blotted out of the finished line.
 */
export function createLogger({ level, destination = standardOutput() }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void destination.write(withoutSecrets(line)) },
  )
}

/** As pino's `isoTime` writes it, made once for all lines of a millisecond: a fifth of what a line costs. */
function createTimestamp(): () => string {
  let at = Number.NaN
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) {
      at = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}

function standardOutput(): DestinationStream {
  return createLineWriter({
    onLost: (lines, cause) => publish({ type: 'server.log.lost', lines, cause }),
    onBack: (lost, cause) => publish({ type: 'server.log.back', lost, cause }),
  })
}

export interface LoggedEvents {
  /** Whether each forwarded call is a line of level `info`; otherwise of `debug`. Default: no. */
  readonly accessLog?: boolean
}

/** What is written of events. */
export interface EventLog {
  /** From the next event on. */
  change(what: { readonly accessLog: boolean }): void
}

/** Milliseconds for which forwarded calls wait to become lines: made together, a line costs about half. */
const gathering = 20

/**
 * One JSON line per event, in their order. What is routine is `debug`, what ends a request is `info`, what an operator must
 * see is `warn`.
 */
export function logEvents(logger: Logger, { accessLog = false }: LoggedEvents = {}): EventLog {
  let routine: 'info' | 'debug' = accessLog ? 'info' : 'debug'
  let forwarded: Traced[] = []
  const writeLine = (level: Exclude<Level, 'unlogged'>, { event: { type, ...fields }, trace }: Traced): void =>
    logger[level](trace === undefined ? fields : { ...fields, trace }, type)
  const writeForwarded = (): void => {
    const events = forwarded
    forwarded = []
    for (const event of events) writeLine(routine, event)
  }
  // Before the log is written for the last time.
  process.prependListener('exit', writeForwarded)

  subscribe(channelName, (message) => {
    const event = message as SallyportEvent
    if (event.type === 'gateway.request.forwarded') {
      if (!logger.isLevelEnabled(routine)) return
      if (forwarded.length === 0) setTimeout(writeForwarded, gathering).unref()
      forwarded.push({ event, trace: traceId(event.type, event.requestId) })
      return
    }
    const level = isUsualRefusal(event) ? 'debug' : levelOf(event.type)
    if (level === 'unlogged' || !logger.isLevelEnabled(level)) return
    writeForwarded()
    writeLine(level, { event, trace: traceId(event.type, 'requestId' in event ? event.requestId : undefined) })
  })
  return {
    change({ accessLog }) {
      routine = accessLog ? 'info' : 'debug'
    },
  }
}

/** Writes audit records between the other lines, whatever the level of those is. */
export function logRecords(logger: Logger): (record: object) => void {
  const always = logger.child({}, { level: 'info' })
  return (audit) => always.info({ audit }, 'audit')
}

/** With the trace that it belongs to, where there are traces. */
interface Traced {
  readonly event: SallyportEvent
  readonly trace: string | undefined
}

type Level = 'debug' | 'info' | 'warn' | 'error' | 'unlogged'

/** How much an operator has to see of it. */
export function levelOf(type: Exclude<SallyportEvent['type'], 'gateway.request.forwarded'>): Level {
  switch (type) {
    case 'server.log.lost':
    case 'server.audit.lost':
      return 'unlogged'
    case 'gateway.request.failed':
    case 'as.request.failed':
      return 'error'
    case 'server.worker.exited':
    case 'server.administration.refused':
    case 'server.configuration.refused':
    case 'server.configuration.needs-restart':
    case 'server.certificate.unfit':
    case 'server.connection.refused':
    case 'server.log.back':
    case 'server.audit.failing':
    case 'server.audit.back':
    case 'as.code.reused':
    case 'as.replay.detected':
    case 'gateway.network.limited':
    case 'gateway.rate.limited':
    case 'as.network.limited':
    case 'as.keys.unavailable':
    case 'gateway.session.refresh-failed':
    case 'gateway.token.not-revoked':
    case 'gateway.upstream.failing':
    case 'gateway.upstream.back':
    case 'gateway.issuer.failing':
    case 'gateway.issuer.back':
    case 'server.store.failing':
    case 'server.store.back':
    case 'gateway.hook.failed':
    case 'gateway.step-up.unusable':
    case 'gateway.userinfo.unusable':
    case 'validator.keys.unavailable':
      return 'warn'
    case 'validator.request.accepted':
    case 'as.request.pushed':
    case 'gateway.login.started':
    case 'gateway.issuer.called':
    case 'gateway.token.revoked':
    case 'validator.keys.fetched':
      return 'debug'
    default:
      return 'info'
  }
}
