import type { GatewayEvent } from './gateway-events.js'

export type ForwardedCall = Extract<GatewayEvent, { readonly type: 'gateway.request.forwarded' }>

export interface AccessLogOptions {
  /** The members with which a line begins, without a comma after them. */
  readonly begin: () => string
  /** Takes lines, each with its line feed. */
  readonly write: (lines: string, count: number) => void
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

/** Characters of the lines that are written at once: what a pipe takes in one piece, so that they stay together. */
const together = 4096

/**
 * Lines like those that pino writes of other events. A busy gateway writes hardly anything else: by pino, and by the objects
 * with the trace and without the type that are made for it, a line took 8 µs, and 15 with a trace. So it takes 4 and 5.
 */
export function createAccessLog({ begin, write }: AccessLogOptions): AccessLog {
  let waiting: { readonly call: ForwardedCall; readonly trace: string | undefined }[] = []
  const flush = (): void => {
    const calls = waiting
    waiting = []
    let [lines, count] = ['', 0]
    for (const { call, trace } of calls) {
      const members = JSON.stringify(call).slice(lengthBeforeMembers, -1)
      const line = `{${begin()},${members}${trace === undefined ? '' : `,"trace":"${trace}"`}${end}`
      if (count > 0 && lines.length + line.length > together) {
        write(lines, count)
        lines = ''
        count = 0
      }
      lines += line
      count++
    }
    if (count > 0) write(lines, count)
  }
  return {
    add(call, trace) {
      if (waiting.length === 0) setTimeout(flush, gathering).unref()
      waiting.push({ call, trace })
    },
    flush,
  }
}
