import { subscribe } from 'node:diagnostics_channel'
import { channelName, type SallyportEvent } from '../telemetry/events.js'
import { isUsualRefusal } from '../telemetry/usual-refusal.js'
import { type Output, printed, styleFor } from './report.js'

/** For the demo: each refused request as a line for a person, with the code that `docs/errors.md` explains. */
export function writeRefusals(output: Output): void {
  const { yellow, soft } = styleFor(output)
  subscribe(channelName, (message) => {
    const line = refusalLine(message as SallyportEvent)
    if (line === undefined) return
    const { what, code, why } = line
    output.write(`  ${yellow(printed(what))}  ${printed(code)}${why === undefined ? '' : soft(`  ${printed(why)}`)}\n`)
  })
}

interface RefusalLine {
  readonly what: string
  readonly code: string
  readonly why?: string | undefined
}

function refusalLine(event: SallyportEvent): RefusalLine | undefined {
  if (isUsualRefusal(event)) return undefined
  switch (event.type) {
    case 'gateway.request.refused': {
      const { status, method = '', path = '', code, reason, remedy } = event
      return { what: `${status} ${method} ${path}`, code, why: remedy ?? reason }
    }
    case 'as.request.refused':
      return { what: `authorization server, ${event.endpoint}`, code: event.code, why: event.reason }
    case 'validator.request.refused':
      return { what: 'sample API', code: event.code, why: event.hint ?? event.check }
    case 'server.request.refused':
      return { what: String(event.status), code: event.code }
    default:
      return undefined
  }
}
