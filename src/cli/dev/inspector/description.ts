import type { IncomingMessage } from 'node:http'
import type { Exchange, ExchangeKind, Parameter } from './exchange.js'
import type { Answer } from './http-tap.js'
import { proofFacts, tokenFacts } from './proof-facts.js'
import { cookieNames, setCookie, shown } from './redaction.js'

/** Header fields that say something about a flow. */
const requestFields = ['authorization', 'dpop', 'origin', 'sec-fetch-site', 'x-csrf'] as const
const answerFields = ['content-type', 'dpop-nonce', 'www-authenticate'] as const

/** Of one message. A sender with hundreds of parameters is no lesson. */
const maxParameters = 60
const maxProofLength = 8192

/** Of these the answer's members are shown; the others may hold anything. */
const knownAnswers: ReadonlySet<ExchangeKind> = new Set([
  'par',
  'redeem',
  'refresh',
  'client-credentials',
  'introspect',
  'revoke',
])
const problemMembers = ['code', 'title', 'detail', 'error', 'error_description']

/** What a request may be shown as. Its secrets are read here, and end here. */
export function describeRequest(
  { method = '', url = '', headers, headersDistinct, socket }: IncomingMessage,
  body: URLSearchParams,
  now: number,
): Exchange['request'] {
  const target = parsed(url, `http://${headers.host ?? 'localhost'}`)
  const parameters: Parameter[] = [...(target?.searchParams ?? [])].map(([name, value]) => shown('query', name, value))
  for (const name of requestFields)
    for (const value of headersDistinct[name] ?? []) parameters.push(shown('header', name, value))
  if (headers.cookie !== undefined)
    parameters.push({ where: 'header', name: 'cookie', value: cookieNames(headers.cookie) })
  for (const [name, value] of body) parameters.push(shown('form', name, value))
  const token = /^(?:DPoP|Bearer) (\S+)$/i.exec(headers.authorization ?? '')?.[1]
  const claims = token === undefined ? undefined : tokenFacts(token)
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  return {
    method: method.slice(0, 12),
    path: (target?.pathname ?? '').slice(0, 200),
    parameters: parameters.slice(0, maxParameters),
    ...(claims !== undefined && { token: claims }),
    ...(headersDistinct.dpop !== undefined &&
      target !== undefined &&
      headersDistinct.dpop.join().length <= maxProofLength && {
        proof: proofFacts({
          method,
          uri: `${scheme}://${headers.host}${target.pathname}`,
          proofs: headersDistinct.dpop,
          accessToken: token,
          now: now / 1000,
        }),
      }),
  }
}

/** @param milliseconds It took. */
export function describeAnswer(
  kind: ExchangeKind,
  { status, fields, body }: Answer,
  milliseconds: number,
): NonNullable<Exchange['answer']> {
  const parameters: Parameter[] = []
  const location = fields.find(([name]) => name === 'location')?.[1]
  const target = location === undefined ? undefined : parsed(location, 'http://localhost')
  const isElsewhere = location !== undefined && URL.canParse(location)
  if (target !== undefined) {
    parameters.push(shown('header', 'location', isElsewhere ? target.origin + target.pathname : target.pathname))
    for (const [name, value] of target.searchParams) parameters.push(shown('location', name, value))
  }
  for (const [name, value] of fields) {
    if (name === 'set-cookie') parameters.push({ where: 'header', name, value: setCookie(value) })
    else if (answerFields.some((known) => known === name)) parameters.push(shown('header', name, value))
  }
  const json = jsonOf(fields, body)
  const isProblem = (status ?? 0) >= 400
  for (const [name, value] of Object.entries(json))
    if (isProblem ? problemMembers.includes(name) : knownAnswers.has(kind))
      parameters.push(shown('json', name, String(value)))
  const holds = holdsOf(kind, target?.searchParams)
  return { status, parameters: parameters.slice(0, maxParameters), milliseconds, ...(holds !== undefined && { holds }) }
}

function holdsOf(kind: ExchangeKind, query: URLSearchParams | undefined) {
  // A signed answer (JARM) has it inside.
  if (query?.has('code') || query?.has('response')) return 'authorization response'
  return kind === 'login' && query?.has('request_uri') ? 'authorization request' : undefined
}

/** The values by which messages of one flow know each other. @returns Them as they are: they are not to be kept. */
export function threadsOf(url: string, form: URLSearchParams): readonly string[] {
  const target = parsed(url, 'http://localhost')
  return ['request_uri', 'state', 'code', 'response', 'logout_hint', 'id_token_hint'].flatMap((name) => [
    ...(target?.searchParams.getAll(name) ?? []),
    ...form.getAll(name),
  ])
}

export function locationOf({ fields }: Answer): string {
  return fields.find(([name]) => name === 'location')?.[1] ?? ''
}

function jsonOf(fields: Answer['fields'], body: string): Readonly<Record<string, unknown>> {
  const type = fields.find(([name]) => name === 'content-type')?.[1] ?? ''
  if (!/^application\/(?:[a-z-]+\+)?json\b/.test(type)) return {}
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    // It was cut, or it is none.
    return {}
  }
}

function parsed(url: string, base: string): URL | undefined {
  return URL.canParse(url, base) ? new URL(url, base) : undefined
}
