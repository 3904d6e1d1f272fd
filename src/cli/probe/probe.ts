import { UpstreamError } from '../../errors.js'
import { innermost } from '../report.js'

/** Something that was tried, and how it went. */
export interface Trial {
  /** What was tried, and for whom: `app: pushed authorization request`. */
  readonly subject: string
  readonly outcome: 'passed' | 'failed' | 'noted'
  readonly result: string
  /** What to do about it. */
  readonly remedy?: string
}

/** The server's answer is shown on the operator's terminal: no control characters. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}

/** What others have sent, for a sentence. */
export function list(values: readonly unknown[]): string {
  return values.length === 0
    ? 'nothing'
    : printable(values.map((value) => (typeof value === 'string' ? value : typeof value)).join(', '))
}

export function passed(subject: string, result: string): Trial {
  return { subject, outcome: 'passed', result }
}

export function failed(subject: string, result: string, remedy: string): Trial {
  return { subject, outcome: 'failed', result, remedy }
}

/** What may be meant so. */
export function noted(subject: string, result: string, remedy?: string): Trial {
  return { subject, outcome: 'noted', result, ...(remedy !== undefined && { remedy }) }
}

/** The message at the bottom: `connect ECONNREFUSED 127.0.0.1:8080`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const bottom = innermost(error)
  return error instanceof UpstreamError && error.cause === undefined ? error.message : bottom
}

/** Which settings of the file the connection depends on. */
export interface ConnectionSettings {
  /** The setting that names a file of certificates to trust. */
  readonly certificates: string
  /** The setting that says which name the certificate has to be for. Absent: the host of the URL. */
  readonly serverName?: string
}

/** What to do about a connection that did not come about. */
export function adviceFor(error: unknown, { certificates, serverName }: ConnectionSettings): string {
  const text = error instanceof Error ? `${codeOf(error)} ${reasonOf(error)}` : ''
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'Is the host name spelled right, and known to the DNS of this machine?'
  if (/ENOENT/.test(text)) return 'There is no such Unix socket: is the path right, and is the API running?'
  if (/EACCES|EPERM/.test(text))
    return 'This user may not connect to that Unix socket: make it a member of the group of the file.'
  // Of undici, and of our own tunnel.
  if (/Proxy response \(407\)|HTTP proxy answered 407/.test(text))
    return 'The HTTP proxy wants a user and a password: write them into Bff.HttpProxy.Url, best as a secret.'
  if (/Proxy response \(\d+\)|HTTP proxy answered/.test(text))
    return 'The HTTP proxy of Bff.HttpProxy does not lead there: have it let this host and port through, or name the host in NoProxy.'
  if (/ECONNREFUSED/.test(text)) return 'Nothing listens there: is the port right, and is it running?'
  if (/wrong.version.number|packet length too long|EPROTO|unknown protocol|record.layer/i.test(text))
    return 'It does not speak TLS at this port: write http:// if it is meant to be plain, or the port that speaks https.'
  if (/ALTNAME|does not match certificate/i.test(text))
    return `Its certificate is for another name: write the URL with that name${serverName === undefined ? '' : `, or the name in ${serverName}`}.`
  if (/HAS_EXPIRED|NOT_YET_VALID|expired/i.test(text)) return 'Have its certificate renewed, and compare the clocks.'
  if (/CERT|certificate|SELF_SIGNED|UNABLE_TO_/i.test(text))
    return `Its certificate is not trusted here: name a file with the certificate of its authority in ${certificates}.`
  if (/HPE_|Parse Error|Expected HTTP/i.test(text))
    return 'It does not speak HTTP at this port: is it https, or another service?'
  if (/ECONNRESET|other side closed|socket hang up/i.test(text))
    return 'It closes the connection: does it speak https at this port, or want a client certificate?'
  if (/timeout|aborted|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i.test(text)) return 'Is there a firewall in between?'
  if (/JSON/.test(text)) return 'Is Authority the issuer identifier, with its whole path?'
  return 'Try it from this machine with curl.'
}

function codeOf(error: Error): string {
  if (error.cause instanceof Error) return codeOf(error.cause)
  const code = (error as NodeJS.ErrnoException).code
  return typeof code === 'string' ? code : ''
}
