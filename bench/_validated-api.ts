import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { auth as peerAuth } from 'express-oauth2-jwt-bearer'
import Koa from 'koa'
import * as oauth from 'oauth4webapi'
import * as forExpress from '../src/dpop-validator/adapters/express.js'
import * as forKoa from '../src/dpop-validator/adapters/koa.js'
import { createVerifier } from '../src/dpop-validator/dpop-validator.js'

/**
 * One API of `bench/validator.ts`, in a process of its own. Arguments: which, issuer, audience. Says its port, and for each
 * `cpu` the microseconds of CPU that it has used.
 */
const [kind = '', issuer = '', audience = ''] = process.argv.slice(2)
const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const koa = (guard?: (context: Koa.Context, next: Koa.Next) => Promise<unknown>): RequestListener => {
  const app = new Koa()
  if (guard) app.use(guard)
  app.use((ctx) => {
    ctx.body = { ok: true }
  })
  return app.callback()
}
const expressApp = (guard?: express.RequestHandler): RequestListener => {
  const app = express()
  if (guard) app.use(guard)
  app.get('/orders', (_req, res) => void res.json({ ok: true }))
  return app
}

const verifier = createVerifier({ issuer, audience, publicUrl: `http://127.0.0.1:${port}` })

/** As its documentation has it: the request as a `Request`, the server's metadata at hand. */
function oauth4webapi() {
  const server: oauth.AuthorizationServer = { issuer, jwks_uri: `${issuer}/jwks` }
  const options = { requireDPoP: true, [oauth.allowInsecureRequests]: true }
  return async (ctx: Koa.Context, next: Koa.Next): Promise<void> => {
    const headers = new Headers(Object.entries(ctx.headers).map(([name, value]) => [name, String(value)]))
    const request = new Request(`http://${ctx.host}${ctx.originalUrl}`, { method: ctx.method, headers })
    ctx.state.claims = await oauth.validateJwtAccessToken(server, request, audience, options)
    await next()
  }
}

const listeners: Readonly<Record<string, () => RequestListener>> = {
  'koa, bare': () => koa(),
  'koa, sallyport': () => koa(forKoa.protect(verifier)),
  'koa, oauth4webapi': () => koa(oauth4webapi()),
  'express, bare': () => expressApp(),
  'express, sallyport': () => expressApp(forExpress.protect(verifier)),
  'express, express-oauth2-jwt-bearer': () =>
    expressApp(peerAuth({ issuerBaseURL: issuer, audience, dpop: { enabled: true, required: true } })),
}

const listener = listeners[kind]
if (listener === undefined) throw new Error(`unknown: ${kind}`)
server.on('request', listener())
process.send?.({ port })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
