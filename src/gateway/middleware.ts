import type { IncomingMessage, ServerResponse } from 'node:http'

/** One function for both: Express calls it with three arguments, Koa with two. */
export interface GatewayMiddleware {
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void
  (context: KoaContext, next: () => Promise<unknown>): Promise<void>
}

/** What Koa hands over, as far as it is needed. */
interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  respond?: boolean
}

/** Answers a request, unless it is none of the gateway's: then it resolves to false, and nothing has happened. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

/** @see Gateway.middleware */
export function createMiddleware(serve: Serve): GatewayMiddleware {
  const express = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    whole(serve, request, response).then((isServed) => {
      if (!isServed) next()
    }, next)
  }
  const koa = async (context: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    if (await whole(serve, context.req, context.res)) context.respond = false
    else await next()
  }
  function gateway(...given: Parameters<typeof express>): void
  function gateway(...given: Parameters<typeof koa>): Promise<void>
  function gateway(...given: Parameters<typeof express> | Parameters<typeof koa>): Promise<void> | void {
    return given.length === 2 ? koa(...given) : express(...given)
  }
  return gateway
}

/** The gateway reads the whole target: Express takes off the path that a middleware is mounted at. */
async function whole(
  serve: Serve,
  request: IncomingMessage & { readonly originalUrl?: string },
  response: ServerResponse,
): Promise<boolean> {
  const { url, originalUrl = url } = request
  request.url = originalUrl
  const isServed = await serve(request, response)
  if (!isServed) request.url = url
  return isServed
}
