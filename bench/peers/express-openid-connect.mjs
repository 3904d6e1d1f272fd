// The stack that people deploy: express-openid-connect with its default (rolling, encrypted cookie) session, and
// http-proxy-middleware, which makes a new connection for every request unless it is given an agent.
import { Agent } from 'node:http'
import express from 'express'
import oidc from 'express-openid-connect'
import { createProxyMiddleware } from 'http-proxy-middleware'

const { PORT, UPSTREAM, ISSUER, AGENT } = process.env
const app = express()
app.use(
  oidc.auth({
    issuerBaseURL: ISSUER,
    baseURL: `http://localhost:${PORT}`,
    clientID: 'peer',
    clientSecret: 'peer-secret-peer-secret-peer-secret',
    secret: 'cookie-secret-cookie-secret-cookie-secret',
    authorizationParams: { response_type: 'code', scope: 'openid profile' },
    clientAuthMethod: 'client_secret_post',
    idTokenSigningAlg: 'ES256',
  }),
)
app.use(
  createProxyMiddleware({
    target: UPSTREAM,
    ...(AGENT === 'keep-alive' && { agent: new Agent({ keepAlive: true }) }),
    on: {
      proxyReq(proxied, request) {
        proxied.setHeader('authorization', `Bearer ${request.oidc.accessToken.access_token}`)
        proxied.removeHeader('cookie')
      },
    },
  }),
)
app.listen(PORT, '127.0.0.1')
