import { subscribe } from 'node:diagnostics_channel'
import type { Logger } from 'pino'
import { channelName, type SallyportEvent } from './events.js'

/** One JSON line per event. What is routine is `debug`, what ends a request is `info`, what an operator must see is `warn`. */
export function logEvents(logger: Logger): void {
  subscribe(channelName, (message) => {
    const { type, ...fields } = message as SallyportEvent
    logger[levelOf(type)](fields, type)
  })
}

function levelOf(type: SallyportEvent['type']): 'debug' | 'info' | 'warn' | 'error' {
  switch (type) {
    case 'gateway.request.failed':
    case 'as.request.failed':
      return 'error'
    case 'as.code.reused':
    case 'as.replay.detected':
    case 'as.sign-in.limited':
    case 'as.keys.unavailable':
    case 'gateway.session.refresh-failed':
    case 'validator.keys.unavailable':
      return 'warn'
    case 'gateway.request.forwarded':
    case 'validator.request.accepted':
    case 'as.request.pushed':
    case 'gateway.login.started':
    case 'validator.keys.fetched':
      return 'debug'
    default:
      return 'info'
  }
}
