import { isUtf8 } from 'node:buffer'
import { parseJsonObject } from './json-object.js'

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
