import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { rootCertificates, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { brotliDecompress, unzip } from 'node:zlib'
import { UpstreamError } from '../../errors.js'
import { goesDirectly, type HttpProxyOptions } from '../../http/outgoing-proxy.js'
import { tlsPreset } from '../../http/tls.js'
import { isJsonObject } from '../../jose/json-object.js'

export interface JsonExchangeOptions {
  /** Seconds until the whole answer must be here. */
  readonly timeout: number
  /** Bytes of an answer at most. */
  readonly maxBytes: number
  /** A form to post. Absent: GET. */
  readonly form?: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
  /** PEM certificates to trust besides those that Node.js trusts. */
  readonly ca?: string | undefined
  readonly httpProxy?: HttpProxyOptions | undefined
}

/** Asks an authorization server for one JSON object. @throws UpstreamError */
export type JsonExchange = (url: URL, options: JsonExchangeOptions) => Promise<Record<string, unknown>>

export const exchangeJson: JsonExchange = async (url, options) => {
  const answer = parsed((await exchange(url, options, 'application/json')).body)
  if (answer === undefined) throw unacceptable(url, 'did not answer with a JSON object')
  return answer
}

/** Asks for one JWT of this media type: JSON, which nobody has signed, is not taken for it. @throws UpstreamError */
export async function exchangeJwt(url: URL, options: JsonExchangeOptions, type: string): Promise<string> {
  const answer = await exchange(url, options, type)
  if (answer.type !== type) throw unacceptable(url, `did not answer with ${type}`)
  return answer.body.toString('latin1')
}

function unacceptable(url: URL, text: string): UpstreamError {
  return new UpstreamError('invalid_response', `${url.origin}${url.pathname} ${text}`)
}

interface Answer {
  /** Without parameters. */
  readonly type: string | undefined
  readonly body: Buffer
}

/** Directly, or through the proxy; the way to it is part of the time that an answer may take. */
async function exchange(url: URL, options: JsonExchangeOptions, accept: string): Promise<Answer> {
  const { httpProxy, timeout, ca } = options
  if (httpProxy === undefined || goesDirectly(url, httpProxy)) return exchanged(url, options, accept)
  const started = performance.now()
  // Only those who need it load it.
  const { tunnelTo } = await import('./proxy-tunnel.js')
  const socket = await tunnelTo(url, httpProxy, { timeout, ca: trusted(ca) }).catch((cause: Error) => {
    throw new UpstreamError('unreachable', `${url.origin}${url.pathname} cannot be reached: ${cause.message}`, {
      cause,
    })
  })
  return exchanged(url, options, accept, { socket, spent: (performance.now() - started) / 1000 })
}

function trusted(ca: string | undefined): string[] | undefined {
  return ca === undefined ? undefined : [...rootCertificates, ca]
}

/** A connection that stands already, and the seconds that it took. */
interface Tunnel {
  readonly socket: TLSSocket
  readonly spent: number
}

/** Redirects are not followed: where keys come from is decided by metadata, not by the server that answers. */
function exchanged(
  url: URL,
  { timeout, maxBytes, form, headers, ca }: JsonExchangeOptions,
  accept: string,
  tunnel?: Tunnel,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = form?.toString()
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, {
      ...(url.protocol === 'https:' && tlsPreset),
      ...(ca !== undefined && { ca: trusted(ca) }),
      ...(tunnel !== undefined && { createConnection: () => tunnel.socket }),
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        Accept: accept,
        'Accept-Encoding': 'gzip, br',
        ...(body !== undefined && {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': String(Buffer.byteLength(body)),
        }),
        ...headers,
      },
    })
    const fail = (code: 'unreachable' | 'timeout' | 'invalid_response', text: string, cause?: unknown): void => {
      clearTimeout(timer)
      reject(new UpstreamError(code, `${url.origin}${url.pathname} ${text}`, { cause }))
      request.destroy()
    }
    const timer = setTimeout(
      () => fail('timeout', `did not answer within ${timeout} s`),
      (timeout - (tunnel?.spent ?? 0)) * 1000,
    )

    request.on('error', (cause) => fail('unreachable', 'cannot be reached', cause))
    request.on('response', (response) => {
      if (response.statusCode !== 200) return fail('invalid_response', `answered ${response.statusCode}`)
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > maxBytes) fail('invalid_response', `answered more than ${maxBytes} bytes`)
        else chunks.push(chunk)
      })
      response.on('error', (cause) => fail('unreachable', 'broke off', cause))
      response.on('end', () => {
        if (!response.complete) return fail('unreachable', 'broke off')
        decoded(Buffer.concat(chunks), response.headers['content-encoding'], maxBytes).then(
          (body) => {
            clearTimeout(timer)
            resolve({ type: response.headers['content-type']?.split(';')[0]?.trim().toLowerCase(), body })
          },
          (cause) => fail('invalid_response', 'answered in an encoding that cannot be read', cause),
        )
      })
    })
    request.end(body)
  })
}

const decoders = new Map([
  ['gzip', promisify(unzip)],
  ['x-gzip', promisify(unzip)],
  ['deflate', promisify(unzip)],
  ['br', promisify(brotliDecompress)],
])

/** Servers and what stands before them compress without being asked to. It must not become bigger than it may be. */
async function decoded(body: Buffer, encoding: string | undefined, maxOutputLength: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return body
  const decode = decoders.get(name)
  if (decode === undefined) throw new TypeError('the Content-Encoding is not known')
  return decode(body, { maxOutputLength })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** With or without a byte order mark, which RFC 8259 §8.1 lets a reader pass over. */
function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(body))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
