import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import * as forExpress from '../../src/dpop-validator/adapters/express.js'
import * as forFastify from '../../src/dpop-validator/adapters/fastify.js'
import * as forFetch from '../../src/dpop-validator/adapters/fetch.js'
import * as forKoa from '../../src/dpop-validator/adapters/koa.js'
import * as forNode from '../../src/dpop-validator/adapters/node.js'
import type { Auth } from '../../src/dpop-validator/auth.js'
import type { Verifier } from '../../src/dpop-validator/dpop-validator.js'
import type { Requirements } from '../../src/dpop-validator/request/requirements.js'

export interface RunningApi {
  readonly origin: string
  close(): Promise<void>
}

/** The same types: what is used here has not changed. */
const express4 = createRequire(import.meta.url)('express4') as typeof express

/** An API behind the validator: every path answers who called; paths under `/scoped` want the scope `admin`. */
export type StartApi = (verifier: Verifier, requirements?: Requirements) => Promise<RunningApi>

const about = (auth: Auth | undefined) => ({
  subject: auth?.subject,
  cached: auth?.cached,
  jti: auth?.proof?.jti,
  scheme: auth?.scheme,
})

export async function listening(listener: RequestListener, options = {}): Promise<RunningApi> {
  const server = createServer(options, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const startKoa: StartApi = (verifier, requirements) => {
  const app = new Koa()
  app.use(forKoa.protect(verifier, requirements))
  const admin = forKoa.requireScopes('admin')
  app.use((ctx, next) => (ctx.path.startsWith('/scoped') ? admin(ctx, next) : next()))
  app.use((ctx) => {
    ctx.body = about(ctx.state.auth)
  })
  return listening(app.callback())
}

const startExpress = (create: typeof express): StartApi => {
  return (verifier, requirements) => {
    const app = create()
    app.use(forExpress.protect(verifier, requirements))
    app.use('/scoped', forExpress.requireScopes('admin'))
    app.use((req, res) => void res.json(about(req.auth)))
    return listening(app)
  }
}

const startFastify: StartApi = async (verifier, requirements) => {
  const app = Fastify()
  await app.register(forFastify.protect(verifier, requirements))
  app.all('/scoped', { preHandler: forFastify.requireScopes('admin') }, async (request) => about(request.auth))
  app.all('/configured', { config: { scopes: ['admin'] } }, async (request) => about(request.auth))
  // Methods that Fastify has no routes for come here as well, through the same hooks.
  app.setNotFoundHandler(async (request, reply) => reply.code(200).send(about(request.auth)))
  return {
    origin: await app.listen({ port: 0, host: '127.0.0.1' }),
    async close() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

const startNode: StartApi = (verifier, requirements) => {
  const guard = forNode.protect(verifier, requirements)
  const admin = forNode.requireScopes('admin')
  return listening(async (request, response) => {
    const auth = await guard(request, response)
    if (auth === undefined) return
    if (request.url?.startsWith('/scoped') && !admin(auth, request, response)) return
    response.end(JSON.stringify(about(auth)))
  })
}

const startFetch =
  (handsOutNodeRequest: boolean): StartApi =>
  (verifier, requirements) => {
    const answer = (_request: Request, auth: Auth) => Response.json(about(auth))
    const scoped = forFetch.requireScopes('admin')(answer)
    const handler = forFetch.protect(
      verifier,
      requirements,
    )((request, auth) =>
      new URL(request.url).pathname.startsWith('/scoped') ? scoped(request, auth) : answer(request, auth),
    )
    return listening((request, response) => void bridge(handler, request, response, handsOutNodeRequest))
  }

/** What the servers that run Fetch handlers on Node do: a URL made of Host and target, header fields as they came. */
async function bridge(
  handler: (request: Request, server?: unknown) => Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
  handsOutNodeRequest: boolean,
): Promise<void> {
  const url = `http://${request.headers.host}${request.url}`
  if (!URL.canParse(url) || new URL(url).username !== '') {
    response.writeHead(400).end()
    return
  }
  const headers = new Headers()
  for (let at = 0; at < request.rawHeaders.length; at += 2)
    headers.append(request.rawHeaders[at] ?? '', request.rawHeaders[at + 1] ?? '')
  const bindings = handsOutNodeRequest ? { incoming: request, outgoing: response } : { env: {} }
  const answer = await handler(new Request(url, { method: request.method ?? 'GET', headers }), bindings)
  response.statusCode = answer.status
  for (const [name, value] of answer.headers) response.appendHeader(name, value)
  response.end(Buffer.from(await answer.arrayBuffer()))
}

export const adapters: Readonly<Record<string, StartApi>> = {
  koa: startKoa,
  'express 4': startExpress(express4),
  'express 5': startExpress(express),
  fastify: startFastify,
  'node:http': startNode,
  fetch: startFetch(false),
  'fetch on Node': startFetch(true),
}
