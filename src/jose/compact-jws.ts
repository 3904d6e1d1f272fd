import { isUtf8 } from 'node:buffer'
import { parseJsonObject } from './json-object.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** The three segments of a JWS in its compact form, not yet decoded. */
export interface CompactJws {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-7.1 RFC 7515 §7.1} */
export function splitCompactJws(text: string): CompactJws | undefined {
  const first = text.indexOf('.')
  const second = text.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === text.length - 1 || text.includes('.', second + 1)) return undefined
  return { header: text.slice(0, first), payload: text.slice(first + 1, second), signature: text.slice(second + 1) }
}

/** A JWS whose payload is a claims set, read and not yet believed. */
export interface ReadJws {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** What the signature is over. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/**
 * The one strict reader, of proofs, client assertions and tokens alike: what two readers could read in two ways (a repeated
 * member, another base64url spelling, bytes that are no UTF-8) is no JWS.
 */
export function readCompactJws(text: string): ReadJws | undefined {
  const jws = splitCompactJws(text)
  if (jws === undefined) return undefined
  const header = decodeJsonSegment(jws.header)
  const claims = header && decodeJsonSegment(jws.payload)
  const signature = claims && decodeBase64url(jws.signature)
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  return { header, claims, signed: Buffer.from(`${jws.header}.${jws.payload}`, 'latin1'), signature }
}

/** Decodes canonical base64url only: no padding, no other alphabet, no stray bits at the end. One text, one meaning. */
export function decodeBase64url(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.toString('base64url') === segment ? bytes : undefined
}

/** A segment as the JSON object it must be; undefined when it is anything else. */
export function decodeJsonSegment(segment: string): Record<string, unknown> | undefined {
  const bytes = decodeBase64url(segment)
  if (bytes === undefined) return undefined
  const text = bytes.toString()
  // Only where the decoder had to replace something, or the sender wrote just that character, is a closer look needed.
  return text.includes('\ufffd') && !isUtf8(bytes) ? undefined : parseJsonObject(text)
}
