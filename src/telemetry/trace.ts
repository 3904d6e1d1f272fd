/**
 * The trace that a request is in, as it is handed on with it: parts of the request are begun in this span of it, and who is asked
 * for it hears of both. OpenTelemetry's own types are not in it: who has not installed that can use the package.
 */
export class Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Whether spans are made. The log and the API get the trace's id all the same. */
  readonly isSampled: boolean
  /** Of a trusted peer's trace: what others on its way have added, as `tracestate` has it. */
  readonly state: string | undefined

  constructor(traceId: string, spanId: string, isSampled: boolean, state?: string) {
    this.traceId = traceId
    this.spanId = spanId
    this.isSampled = isSampled
    this.state = state
  }

  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-${this.isSampled ? '01' : '00'}`
  }
}

/** Characters of a field. A trace is kept for its log lines: what comes with it must not fill the memory. W3C Trace Context §3.3.1.5 asks for 512 of `tracestate`. */
const maxLength = 512

const traceparent = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * The trace that the fields of a request name. Undefined where there is none, or no valid one.
 * @see {@link https://www.w3.org/TR/trace-context/#traceparent-header W3C Trace Context §3.2}, and §4.3 for versions that are to come
 */
export function readTrace(fields: Readonly<Record<string, string | string[] | undefined>>): Trace | undefined {
  const { traceparent: parent, tracestate: state } = fields
  const parts = isRead(parent) ? traceparent.exec(parent) : null
  if (parts === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = parts
  if (version === '00' && more !== undefined) return undefined
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1
  return new Trace(traceId, spanId, isSampled, isRead(state) ? state : undefined)
}

function isRead(field: string | string[] | undefined): field is string {
  return typeof field === 'string' && field.length <= maxLength
}

/** Writes it into the fields of a request of ours. */
export function writeTrace(fields: Record<string, string | string[] | undefined>, trace: Trace | undefined): void {
  if (trace === undefined) return
  fields.traceparent = trace.traceparent
  if (trace.state !== undefined) fields.tracestate = trace.state
}
