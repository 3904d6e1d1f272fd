import { IncomingMessage } from 'node:http'
import { ProtocolError } from '../../errors.js'
import { isHost } from '../host.js'
import type { ProxyKind, Question } from './question.js'

/** The request that a proxy asks about, as it has come to the proxy. It has no body. */
export interface AskedRequest {
  readonly kind: ProxyKind
  readonly about: Question['about']
  /** Its method, its target and its fields. */
  readonly request: IncomingMessage
  readonly host: string
  readonly scheme: 'http' | 'https'
  /** `X-Forwarded-For`: the last entry is whom the proxy was called by. */
  readonly forwardedFor: string
  /** The handshake of a WebSocket. */
  readonly isUpgrade: boolean
}

/** The fields by which each kind tells of the request, in lower case. The proxy writes them over what its caller wrote. */
export const fieldsOfProxy: Readonly<Record<ProxyKind, readonly string[]>> = {
  nginx: ['x-original-url', 'x-original-method', 'x-forwarded-for'],
  traefik: ['x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri', 'x-forwarded-for'],
  caddy: ['x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri', 'x-forwarded-for'],
  envoy: ['host', 'x-forwarded-proto', 'x-forwarded-for'],
}

interface Told {
  readonly method: string
  readonly scheme: string
  readonly host: string
  readonly target: string
}

type Field = (name: string) => string

/**
 * What the proxy tells of the request. Nothing is guessed: a field that is missing, there twice or of another form refuses it.
 * @throws ProtocolError `invalid_request`
 */
export function askedRequest({ kind, about, target }: Question, question: IncomingMessage): AskedRequest {
  const field = singleField(question, fieldsOfProxy[kind])
  const told = tellings[kind](field, { target, method: question.method ?? '' })
  const scheme = schemes.get(told.scheme.toLowerCase())
  if (scheme === undefined) refuse('the scheme it tells is neither http nor https')
  if (!isHost(told.host)) refuse('the host it tells is none')
  if (!/^[!#$%&'*+.^_`|~\w-]{1,64}$/.test(told.method)) refuse('the method it tells is none')
  // Caddy passes on the host that was asked for: one that differs is not Caddy's.
  if (kind === 'caddy' && question.headers.host !== told.host) refuse('it tells two hosts')
  const { headers } = question
  const request = new IncomingMessage(question.socket)
  request.httpVersion = '1.1'
  request.method = told.method
  request.url = told.target
  request.headers = { ...headers, host: told.host }
  request.rawHeaders = question.rawHeaders
  return {
    kind,
    about,
    request,
    host: told.host,
    scheme,
    forwardedFor: field('x-forwarded-for'),
    isUpgrade: told.method === 'GET' && headers['sec-websocket-version'] !== undefined,
  }
}

const byForwardedFields = (field: Field): Told => ({
  method: field('x-forwarded-method'),
  scheme: field('x-forwarded-proto'),
  host: field('x-forwarded-host'),
  target: field('x-forwarded-uri'),
})

const tellings: Readonly<Record<ProxyKind, (field: Field, asked: Pick<Told, 'method' | 'target'>) => Told>> = {
  nginx(field) {
    const [, scheme = '', host = '', target = ''] = /^(\w+):\/\/([^/?#\\]+)(\/.*)$/s.exec(field('x-original-url')) ?? []
    return { method: field('x-original-method'), scheme, host, target }
  },
  traefik: byForwardedFields,
  caddy: byForwardedFields,
  envoy: (field, { method, target }) => ({ method, target, scheme: field('x-forwarded-proto'), host: field('host') }),
}

/** Traefik writes the scheme of a WebSocket. */
const schemes: ReadonlyMap<string, 'http' | 'https'> = new Map([
  ['http', 'http'],
  ['ws', 'http'],
  ['https', 'https'],
  ['wss', 'https'],
])

/** A field that is there once. node:http joins several, and what is joined cannot be told from what one of them says. */
function singleField({ rawHeaders, headers }: IncomingMessage, names: readonly string[]): Field {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    if (names.includes(name) && seen.size === seen.add(name).size) refuse(`it tells ${name} twice`)
  }
  return (name) => {
    const value = headers[name]
    return typeof value === 'string' && value !== '' ? value : refuse(`it does not tell ${name}`)
  }
}

function refuse(what: string): never {
  throw new ProtocolError('invalid_request', `the proxy in front does not say which request it asks about: ${what}`)
}
