import { UpstreamError } from '../errors.js'
import { innermost } from './report.js'

/** Something that was tried, and how it went. */
export interface Trial {
  /** What was tried, and for whom: `app: pushed authorization request`. */
  readonly subject: string
  readonly outcome: 'passed' | 'failed' | 'noted'
  readonly result: string
  /** What to do about it. */
  readonly remedy?: string
}

/** Whoever answers writes to the operator's terminal: no control characters. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}

export function passed(subject: string, result: string): Trial {
  return { subject, outcome: 'passed', result }
}

export function failed(subject: string, result: string, remedy: string): Trial {
  return { subject, outcome: 'failed', result, remedy }
}

/** The message at the bottom: `connect ECONNREFUSED 127.0.0.1:8080`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const bottom = innermost(error)
  return error instanceof UpstreamError && error.cause === undefined ? error.message : bottom
}

/** What to do about a connection that did not come about. */
export function adviceFor(error: unknown): string {
  const text = error instanceof Error ? `${codeOf(error)} ${reasonOf(error)}` : ''
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'Is the host name spelled right, and known to the DNS of this machine?'
  if (/ECONNREFUSED/.test(text)) return 'Nobody listens there: is the port right, and is it running?'
  if (/CERT|certificate|SELF_SIGNED|UNABLE_TO_/i.test(text))
    return 'Its certificate is not trusted here: name its authority in NODE_EXTRA_CA_CERTS.'
  if (/timeout|aborted|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i.test(text)) return 'Is there a firewall in between?'
  if (/JSON/.test(text)) return 'Is Authority the issuer identifier, with its whole path?'
  return 'Try it from this machine with curl.'
}

function codeOf(error: Error): string {
  if (error.cause instanceof Error) return codeOf(error.cause)
  const code = (error as NodeJS.ErrnoException).code
  return typeof code === 'string' ? code : ''
}
