/** The trace that a request is in, as it is handed on with it. OpenTelemetry's own types are not in it: who has not installed that can use the package. */
export interface Trace {
  readonly traceId: string
}
