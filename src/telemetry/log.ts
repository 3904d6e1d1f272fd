import { subscribe } from 'node:diagnostics_channel'
import { type Logger, pino } from 'pino'
import { createAccessLog } from './access-log.js'
import { channelName, publish, type SallyportEvent } from './events.js'
import { createLineWriter, type LineWriter } from './line-writer.js'
import { traceId } from './request-traces.js'
import { isUsualRefusal } from './usual-refusal.js'
import { withoutSecrets } from './without-secrets.js'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Default: standard output. */
  readonly destination?: Pick<LineWriter, 'write'>
}

/** Where events become lines. */
export interface Log {
  readonly logger: Logger
  /** The time as pino adds it to a line's members. */
  readonly timestamp: () => string
  /** Takes lines that are finished, each with its line feed. Default: one. */
  write(lines: string, count?: number): void
}

/**
 * JSON lines. No event has a field for a secret; that none slips in by an error's message is what the last filter is for:
 * whatever looks like a token, a private key member or a password in a URL is blotted out of the finished lines.
 */
export function createLog({ level, destination = standardOutput() }: LogOptions): Log {
  const timestamp = createTimestamp()
  const write = (lines: string, count?: number): void => destination.write(withoutSecrets(lines), count)
  const formatters = { level: (label: string) => ({ level: label }) }
  return { logger: pino({ level, base: null, timestamp, formatters }, { write }), timestamp, write }
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

function standardOutput(): LineWriter {
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

/**
 * One JSON line per event, in their order. What is routine is `debug`, what ends a request is `info`, what an operator must
 * see is `warn`.
 */
export function logEvents({ logger, timestamp, write }: Log, { accessLog = false }: LoggedEvents = {}): EventLog {
  let routine: 'info' | 'debug' = accessLog ? 'info' : 'debug'
  const calls = createAccessLog({ begin: () => `"level":"${routine}"${timestamp()}`, write })
  // Before the log is written for the last time.
  process.prependListener('exit', calls.flush)

  subscribe(channelName, (message) => {
    const event = message as SallyportEvent
    if (event.type === 'gateway.request.forwarded') {
      if (logger.isLevelEnabled(routine)) calls.add(event, traceId(event.type, event.requestId))
      return
    }
    const level = isUsualRefusal(event) ? 'debug' : levelOf(event.type)
    if (level === 'unlogged' || !logger.isLevelEnabled(level)) return
    calls.flush()
    const { type, ...fields } = event
    const trace = traceId(type, 'requestId' in event ? event.requestId : undefined)
    logger[level](trace === undefined ? fields : { ...fields, trace }, type)
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
