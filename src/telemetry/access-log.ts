import type { GatewayEvent } from './gateway-events.js'

export type ForwardedCall = Extract<GatewayEvent, { readonly type: 'gateway.request.forwarded' }>

export interface AccessLogOptions {
  /** The members with which a line begins, without a comma after them. */
  readonly begin: () => string
  /** Takes a line with its line feed. */
  readonly write: (line: string) => void
}

/** A line for each forwarded call. */
export interface AccessLog {
  add(call: ForwardedCall, trace: string | undefined): void
  /** Writes what waits. */
  flush(): void
}

/** Milliseconds for which calls wait to become lines: made together, a line costs about half. */
const gathering = 20

const type: ForwardedCall['type'] = 'gateway.request.forwarded'
/** A call is published with its type first; a line has it last, as pino's lines do. */
const lengthBeforeMembers = `{"type":"${type}",`.length
const end = `,"msg":"${type}"}\n`

/**
 * Lines like those that pino writes of other events. A busy gateway writes hardly anything else: by pino, and by the objects
 * with the trace and without the type that are made for it, a line took 8 µs, and 15 with a trace. So it takes 5 and 7.
 */
export function createAccessLog({ begin, write }: AccessLogOptions): AccessLog {
  let waiting: { readonly call: ForwardedCall; readonly trace: string | undefined }[] = []
  const flush = (): void => {
    const calls = waiting
    waiting = []
    for (const { call, trace } of calls) {
      const members = JSON.stringify(call).slice(lengthBeforeMembers, -1)
      write(`{${begin()},${members}${trace === undefined ? '' : `,"trace":"${trace}"`}${end}`)
    }
  }
  return {
    add(call, trace) {
      if (waiting.length === 0) setTimeout(flush, gathering).unref()
      waiting.push({ call, trace })
    },
    flush,
  }
}
