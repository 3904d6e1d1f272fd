import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import express from 'express'
import Koa from 'koa'
import { createGateway, type Gateway } from '../../src/gateway/gateway.js'
import { call } from './_client.js'
import { aFrontend, aRoute, gatewayOptions, startApi } from './_gateway.js'
import { ownPage } from './_planted.js'

/** A program with a page, a form and a gateway for one frontend at `/admin` and one at `/`. */
const programs = {
  express(gateway: Gateway) {
    const app = express()
    app.use(gateway.middleware())
    app.use(express.json())
    app.get('/hello', (_request, response) => void response.send('hello'))
    app.post('/echo', (request, response) => void response.json(request.body))
    return app
  },
  koa(gateway: Gateway) {
    const app = new Koa()
    app.use(gateway.middleware())
    app.use(async (context) => {
      if (context.path === '/hello') context.body = 'hello'
      if (context.path !== '/echo') return
      const chunks: Buffer[] = []
      for await (const chunk of context.req) chunks.push(chunk)
      context.body = JSON.parse(Buffer.concat(chunks).toString())
    })
    return app.callback()
  },
} as const

async function aProgram(
  t: ExecutionContext,
  program: (gateway: Gateway) => Parameters<typeof createServer>[1] & object,
) {
  const api = await startApi()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const route = aRoute({ path: '/api', upstreams: [new URL(api.url)], tokenType: 'None' })
  const frontend = aFrontend({ publicUrl: url, authority: 'http://127.0.0.1:9', routes: [route] })
  const gateway = await createGateway(gatewayOptions([frontend]))
  server.on('request', program(gateway))
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await Promise.all([gateway.close(), api.close()])
  })
  return { url, api }
}

for (const [name, program] of Object.entries(programs)) {
  test(`in ${name} the gateway answers what is a frontend's, and the program the rest`, async (t) => {
    const { url, api } = await aProgram(t, program)
    t.is((await call(url, '/hello')).text, 'hello')
    t.is((await call(url, '/nothing')).status, 404)
    const json = { 'Content-Type': 'application/json' }
    t.is((await call(url, '/echo', { method: 'POST', headers: json, body: '{"a":1}' })).text, '{"a":1}')

    t.deepEqual(JSON.parse((await call(url, '/bff/user')).text), { authenticated: false })
    const sent = await call(url, '/api/orders', { method: 'POST', headers: { ...ownPage, ...json }, body: '{"b":2}' })
    t.is(sent.status, 200)
    t.is(api.calls.at(-1)?.url, '/api/orders')
    const refused = await call(url, '/api/%2e%2e/hello')
    t.is(refused.status, 400)
    t.is(JSON.parse(refused.text).code, 'bff.request.ambiguous_target')
  })
}

test('in express the path that it is mounted at counts, and one that is not a frontend’s goes on as it was', async (t) => {
  const { url, api } = await aProgram(t, (gateway) => {
    const app = express()
    app.use('/api', gateway.middleware())
    app.use('/other', gateway.middleware(), (request, response) => void response.send(request.url))
    return app
  })
  t.is((await call(url, '/api/orders', { headers: ownPage })).status, 200)
  t.is(api.calls.at(-1)?.url, '/api/orders')
  t.is((await call(url, '/other/page')).text, '/page')
})

test('a body that something else has read is an error of the program, not a call that waits', async (t) => {
  const { url } = await aProgram(t, (gateway) => {
    const app = express()
    app.use(express.json())
    app.use(gateway.middleware())
    app.use(((error, _request, response, _next) => {
      response.status(500).send(String(error))
    }) satisfies express.ErrorRequestHandler)
    return app
  })
  const headers = { ...ownPage, 'Content-Type': 'application/json' }
  const answer = await call(url, '/api/orders', { method: 'POST', headers, body: '{}' })
  t.is(answer.text, 'TypeError: the gateway comes before what reads bodies')
})
