import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '../errors.js'

export interface FormBodyOptions {
  /** Bytes. Default: 65,536. */
  readonly limit?: number
  /** Seconds for all of it to arrive: half a form is not waited for. Default: 30. */
  readonly patience?: number
  /** Parameters that may come several times, such as `resource` (RFC 8707 §2). Their values are joined by spaces. */
  readonly repeatable?: readonly string[]
}

/** No request of OAuth has a third of it, and each costs time before it is known who asks. */
const maxParameters = 100
/** What the rest of a body that is refused may still be, in bytes and seconds, before its connection is closed. */
const linger = { bytes: 1_048_576, seconds: 2 }
const tooLarge = 'the body is too large'

/**
 * Reads an `application/x-www-form-urlencoded` body. Empty values count as absent and repeated parameters are refused
 * (RFC 6749 §3.1 and §3.2).
 * @throws ProtocolError `invalid_request`
 */
export async function readFormBody(
  request: IncomingMessage,
  { limit = 65_536, patience = 30, repeatable = [] }: FormBodyOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new ProtocolError('invalid_request', 'the body is not application/x-www-form-urlencoded')
  const body = await bodyOf(request, limit, patience)
  return parameters(searchParameters(body.toString('utf8')), repeatable)
}

/** Listens and does not iterate: an iterator that is left destroys the connection, and the answer with it. */
function bodyOf(request: IncomingMessage, limit: number, patience: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => refuse('the body takes too long'), patience * 1000).unref()
    const refuse = (message: string): void => {
      clearTimeout(timer)
      request.removeListener('data', read)
      readAway(request)
      reject(new ProtocolError('invalid_request', message))
    }
    const read = (chunk: Buffer): void => {
      length += chunk.length
      if (length > limit) refuse(tooLarge)
      else chunks.push(chunk)
    }
    // A client that sends half a body is at fault, not we.
    const brokeOff = (cause?: Error): void => {
      clearTimeout(timer)
      reject(new ProtocolError('invalid_request', 'the body broke off', { cause }))
    }
    request.once('end', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks))
    })
    request.once('error', brokeOff).once('close', () => brokeOff())
    if (Number(request.headers['content-length']) > limit) refuse(tooLarge)
    else request.on('data', read)
  })
}

/** Lets a sender finish, who would not look for an answer before; but not with any number of bytes, and not at leisure. */
function readAway(request: IncomingMessage): void {
  let left = linger.bytes
  const timer = setTimeout(() => request.socket.destroy(), linger.seconds * 1000).unref()
  request
    .on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) request.socket.destroy()
    })
    .once('end', () => clearTimeout(timer))
    .once('close', () => clearTimeout(timer))
    .resume()
}

/**
 * The parameters of a query or a form, counted before they are looked at.
 * @throws ProtocolError `invalid_request`
 */
export function searchParameters(text: string): URLSearchParams {
  for (let count = 1, at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1))
    if (++count > maxParameters) throw new ProtocolError('invalid_request', 'there are too many parameters')
  return new URLSearchParams(text)
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
