import { withoutSecrets } from '../../telemetry/without-secrets.js'

/** What an authorization server said about its refusal. For the operator's log and terminal, never for a browser. */
export interface ServerWords {
  readonly error?: string
  readonly description?: string
  /** HTTP status, where there was one: some servers tell only by it that they did not accept the client. */
  readonly status?: number
}

export function serverWords(error: unknown, description: unknown, status?: number): ServerWords {
  return {
    ...(typeof error === 'string' && { error: printable(error) }),
    ...(typeof description === 'string' && { description: printable(description) }),
    ...(status !== undefined && { status }),
  }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Short, without control characters, and without what the server may have quoted of a code or a token. */
export function printable(text: string): string {
  return withoutSecrets(text.slice(0, 1000).replace(/[^\x20-\x7e]/g, '?'))
    .replace(/[\w.~+=-]{32,}/g, (run) => (uuid.test(run) || !/\d/.test(run) ? run : '[long value]'))
    .slice(0, 200)
}
