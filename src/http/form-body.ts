import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '../errors.js'

export interface FormBodyOptions {
  /** Bytes. Default: 65,536. */
  readonly limit?: number
  /** Parameters that may come several times, such as `resource` (RFC 8707 §2). Their values are joined by spaces. */
  readonly repeatable?: readonly string[]
}

/**
 * Reads an `application/x-www-form-urlencoded` body. Empty values count as absent and repeated parameters are refused
 * (RFC 6749 §3.1 and §3.2).
 * @throws ProtocolError `invalid_request`
 */
export async function readFormBody(
  request: IncomingMessage,
  { limit = 65_536, repeatable = [] }: FormBodyOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new ProtocolError('invalid_request', 'the body is not application/x-www-form-urlencoded')
  const body = await bodyOf(request, limit)
  return parameters(new URLSearchParams(body.toString('utf8')), repeatable)
}

async function bodyOf(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limit) throw new ProtocolError('invalid_request', 'the body is too large')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    // Whoever sends half a body is at fault, not we.
    throw new ProtocolError('invalid_request', 'the body broke off', { cause: error })
  }
  return Buffer.concat(chunks)
}

/** @throws ProtocolError `invalid_request` when one comes twice. */
export function parameters(search: URLSearchParams, repeatable: readonly string[] = []): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  for (const [name, value] of search) {
    const before = all.get(name)
    if (before !== undefined && !repeatable.includes(name))
      throw new ProtocolError('invalid_request', 'a parameter is repeated')
    all.set(name, before === undefined ? value : `${before} ${value}`)
  }
  for (const [name, value] of all) if (value === '') all.delete(name)
  return all
}
