import { Agent, request } from 'undici'
import type { Certificate } from '../http/_self-signed.js'

export interface Answer {
  readonly status: number
  /** Every value of a header, in order. */
  header(name: string): readonly string[]
  readonly body: string
  /** The body as a JSON object; fails when it is none. */
  json(): Record<string, unknown>
}

export interface Outgoing {
  readonly method?: string
  /** Name, value, name, value: repeated names and their case are sent as they are. */
  readonly headers?: readonly string[]
  readonly body?: string
  /** Shown where the server asks for one. Default: none. */
  readonly certificate?: Certificate | undefined
}

export type Send = (url: string | URL, outgoing?: Outgoing) => Promise<Answer>

export interface Sender {
  readonly send: Send
  close(): Promise<void>
}

/** An HTTP client that follows nothing, keeps no cookie and, like the suite, trusts every certificate. */
export function createSender(): Sender {
  // One pool for each certificate: a resumed session would keep that of another.
  const dispatchers = new Map<string, Agent>()
  const by = (certificate: Certificate | undefined): Agent => {
    const key = certificate?.cert ?? ''
    const dispatcher =
      dispatchers.get(key) ??
      new Agent({ connect: { rejectUnauthorized: false, ...certificate }, keepAliveTimeout: 1000 })
    dispatchers.set(key, dispatcher)
    return dispatcher
  }
  return {
    async send(url, { method = 'GET', headers = [], body, certificate } = {}) {
      const answer = await request(url, {
        method,
        headers: [...headers],
        ...(body !== undefined && { body }),
        dispatcher: by(certificate),
      })
      const text = await answer.body.text()
      return {
        status: answer.statusCode,
        header: (name) => [answer.headers[name] ?? []].flat(),
        body: text,
        json: () => objectOf(text),
      }
    },
    async close() {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.close()))
    },
  }
}

function objectOf(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('is not a JSON object')
  return value as Record<string, unknown>
}

/** `application/x-www-form-urlencoded`, without the parameters that are undefined. */
export function form(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return new URLSearchParams(given).toString()
}

export const formContentType = ['content-type', 'application/x-www-form-urlencoded'] as const
