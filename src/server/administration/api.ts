import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { UpstreamError } from '../../errors.js'
import { printableJson } from '../../http/printable-json.js'
import { problemDetails, problemMediaType } from '../../http/problem-details.js'
import { actingSource } from './acting-source.js'
import type { AdminToken } from './admin-token.js'
import { type ApiOperation, operations } from './api-operations.js'
import { ApiRefusal, type ApiRefusalCode, apiRefusals } from './api-refusal.js'
import { openApiDocument } from './openapi.js'
import type { AdministrationSource } from './source.js'

export interface AdminApiOptions {
  readonly token: AdminToken
  readonly source: AdministrationSource
  /** Of this package. */
  readonly version: string
}

/** Answers everything below `/admin`. */
export type AdminApi = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Bytes of a body. */
const bodyLimit = 4096

export function createAdminApi({ token, source, version }: AdminApiOptions): AdminApi {
  const document: ApiOperation = {
    method: 'GET',
    path: '/admin/openapi.json',
    summary: 'This document.',
    query: [],
    answer: 'Document',
    run: async () => openApiDocument(version),
  }
  const table = [document, ...operations]

  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    assertToken(request, token)
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://admin')
    const { operation, handle } = operationFor(table, request.method ?? '', pathname)
    assertKnown(operation, searchParams)
    const body = operation.body && (await readJson(request))
    const actor = { via: 'api', address: request.socket.remoteAddress ?? '' } as const
    return operation.run({ source: actingSource(source, actor), query: searchParams, handle, body })
  }

  return async (request, response) => {
    const requestId = randomUUID()
    const headers = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'X-Request-Id': requestId }
    try {
      const body = await answer(request)
      if (body === undefined) response.writeHead(204, headers).end()
      else response.writeHead(200, { ...headers, 'Content-Type': 'application/json' }).end(bodyText(request, body))
    } catch (error) {
      const refusal = refusalOf(error)
      const { status, title } = apiRefusals[refusal.code]
      const problem = problemDetails({ status, title, detail: refusal.message, code: refusal.code, requestId })
      response
        .writeHead(status, { ...headers, ...refusal.headers, 'Content-Type': problemMediaType })
        .end(bodyText(request, problem))
    }
  }
}

function bodyText({ method }: IncomingMessage, body: object): string | undefined {
  return method === 'HEAD' ? undefined : `${printableJson(body)}\n`
}

/** @throws ApiRefusal */
function assertToken(request: IncomingMessage, token: AdminToken): void {
  const checked = token.checkRequest(request)
  if (checked === 'right') return
  if (checked === 'wrong')
    throw new ApiRefusal('admin.token.refused', 'send the AdminToken as "Authorization: Bearer …"', {
      'WWW-Authenticate': 'Bearer realm="sallyport administration"',
    })
  throw new ApiRefusal('admin.token.too_many', 'wait, and send the right one', { 'Retry-After': String(checked.wait) })
}

function operationFor(
  table: readonly ApiOperation[],
  asked: string,
  path: string,
): { readonly operation: ApiOperation; readonly handle: string } {
  const [, handle] = /^\/admin\/sessions\/([\w-]{1,64})$/.exec(path) ?? []
  const pattern = handle === undefined ? path : '/admin/sessions/{handle}'
  const here = table.filter((operation) => operation.path === pattern)
  if (here.length === 0) throw new ApiRefusal('admin.path.unknown', 'GET /admin/openapi.json names every path')
  const operation = here.find(({ method }) => method === (asked === 'HEAD' ? 'GET' : asked))
  if (operation === undefined) {
    const allowed = here.map(({ method }) => method).join(', ')
    throw new ApiRefusal('admin.method.not_allowed', `it takes ${allowed}`, { Allow: allowed })
  }
  return { operation, handle: handle ?? '' }
}

/** A filter that is misspelt would be no filter: `DELETE …?subject=alice` must not end what it does not mean. */
function assertKnown({ query }: ApiOperation, given: URLSearchParams): void {
  for (const name of given.keys()) {
    if (!query.some((known) => known.name === name)) {
      const names = query.map((known) => known.name).join(', ') || 'none'
      throw new ApiRefusal('admin.request.malformed', `there is no parameter of that name; known: ${names}`)
    }
    if (given.getAll(name).length > 1) throw new ApiRefusal('admin.request.malformed', `"${name}" comes twice`)
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > bodyLimit) throw new ApiRefusal('admin.request.malformed', 'the body is too long')
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new ApiRefusal('admin.request.malformed', 'the body is not JSON')
  }
}

function refusalOf(error: unknown): ApiRefusal {
  if (error instanceof ApiRefusal) return error
  // The only one: a page that none follows.
  if (error instanceof RangeError) return new ApiRefusal('admin.request.malformed', `"after": ${error.message}`)
  if (!(error instanceof UpstreamError)) return new ApiRefusal('admin.request.failed', 'the log may say more')
  const code: ApiRefusalCode =
    error.code === 'store_unavailable' ? 'admin.store.unavailable' : 'admin.process.unavailable'
  return new ApiRefusal(code, error.message, { 'Retry-After': '5' })
}
