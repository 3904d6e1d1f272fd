/** An error as a document. @see {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457} */
export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  /** What happened, for the developer at the other end. Never an internal. */
  readonly detail: string
  /** Stable: the key into `docs/errors.md`. */
  readonly code: string
  /** The same as in the log line. */
  readonly requestId: string
  readonly [member: string]: unknown
}

export const problemMediaType = 'application/problem+json'

/** Where the codes are explained. */
export const errorReference = 'https://github.com/sallyport/sallyport/blob/main/docs/errors.md'

export function problemDetails({
  status,
  title,
  detail,
  code,
  requestId,
  ...members
}: Omit<ProblemDetails, 'type'>): ProblemDetails {
  return { type: `${errorReference}#${code}`, title, status, detail, code, requestId, ...members } as ProblemDetails
}
