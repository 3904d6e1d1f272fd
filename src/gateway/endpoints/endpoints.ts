import type { ServerResponse } from 'node:http'
import Router from '@koa/router'
import Koa from 'koa'
import { searchParameters } from '../../http/form-body.js'
import { noteOrigin } from '../../telemetry/request-origin.js'
import { nameRequest, noteTrace } from '../../telemetry/request-traces.js'
import { answerError } from '../error-response.js'
import { assertOwnPage, forgeryRuleOf, isFromOwnPage } from '../frontend/anti-forgery.js'
import type { Frontend } from '../frontend/frontend.js'
import { beginPopupLogin, completePopupLogin, openPopupLogin } from '../popup-login/popup-endpoints.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest, ProvisionedFrontend } from '../request.js'
import { type EndpointState, koaSession } from '../session/koa-session.js'
import { keepSession } from '../session/sliding-expiration.js'
import { backchannelLogout } from './backchannel-logout.js'
import { callback } from './callback.js'
import { endpointPaths, popupWindowPath } from './endpoint-paths.js'
import { frontchannelLogout } from './frontchannel-logout.js'
import { assertionKeys, clientKeys } from './jwks.js'
import type { Limits } from './limits.js'
import { login } from './login.js'
import { logoutByCall, logoutByLink } from './logout.js'
import { endOtherSessions, endSessionByHandle, listSessions } from './session-list.js'
import { user } from './user.js'

export type Endpoints = (call: GatewayRequest, response: ServerResponse) => Promise<void>

/** `P/*`: what the gateway answers itself. */
export function createEndpoints(limits: Limits, now: () => number): Endpoints {
  const app = new Koa<EndpointState>()
  // Koa would print errors with their messages; ours are answered and announced as events.
  app.silent = true
  const calls = new WeakMap<object, GatewayRequest>()
  const routers = new WeakMap<ProvisionedFrontend, Koa.Middleware<EndpointState>>()

  app.use(async function problemDetails(ctx, next) {
    const call = calls.get(ctx.req)
    if (call === undefined) throw new TypeError('an endpoint is called without its frontend')
    Object.assign(ctx.state, { call, open: undefined, now, limits })
    ctx.set(call.frontend.answerHeaders)
    ctx.set('X-Request-Id', call.requestId)
    ctx.set('Cache-Control', 'no-store')
    try {
      await next()
    } catch (error) {
      ctx.respond = false
      // As it is by now: a callback goes on under the request id of its login.
      answerError(ctx.res, error, ctx.state.call)
    }
  })
  app.use(async function antiForgery(ctx, next) {
    const { call } = ctx.state
    const rule = forgeryRuleOf(call.frontend, ctx.method, call.target.path)
    if (rule !== undefined) assertOwnPage(call, 'route', rule)
    await next()
  })
  app.use(koaSession(app))
  app.use(async function endpointOfThisFrontend(ctx, next) {
    const { frontend } = ctx.state.call
    const routes = routers.get(frontend) ?? endpointRoutes(frontend)
    routers.set(frontend, routes)
    await routes(ctx, next)
  })
  const listener = app.callback()

  return async (call, response) => {
    const { request, requestId, client } = call
    noteOrigin('gateway', requestId, () => ({
      address: client.address,
      userAgent: request.headers['user-agent'] ?? '',
    }))
    noteTrace(request, 'gateway', requestId)
    calls.set(request, call)
    await listener(call.request, response)
  }
}

/** The endpoint table. */
function endpointRouter({
  base,
  options: { embedding, frontchannelLogout: byFrame, assertionKeys: keys },
}: Pick<Frontend, 'base' | 'options'>): Router<EndpointState> {
  const router = new Router<EndpointState>({ prefix: base, sensitive: true, strict: true })
  router.get(endpointPaths.login, login)
  router.get(endpointPaths.callback, callback)
  router.get(endpointPaths.user, keepCurrentSession, user)
  router.get(endpointPaths.logout, logoutByLink)
  router.post(endpointPaths.logout, logoutByCall)
  router.post(endpointPaths.backchannelLogout, backchannelLogout)
  if (byFrame === true) router.get(endpointPaths.frontchannelLogout, frontchannelLogout)
  router.get(endpointPaths.sessions, keepCurrentSession, listSessions)
  router.delete(endpointPaths.sessions, endOtherSessions)
  router.delete(`${endpointPaths.sessions}/:handle`, endSessionByHandle)
  router.get(endpointPaths.jwks, clientKeys)
  if (keys !== undefined) router.get(endpointPaths.assertionJwks, assertionKeys)
  if (embedding !== undefined) {
    router.post(endpointPaths.popupLogin, beginPopupLogin)
    router.post(popupWindowPath, openPopupLogin)
    router.post(`${endpointPaths.popupLogin}/session`, completePopupLogin)
  }
  return router
}

/** The methods of the endpoint at a path. None: there is no such endpoint. */
export function endpointMethods(frontend: Pick<Frontend, 'base' | 'options'>, path: string): readonly string[] {
  return methodsAt(endpointRouter(frontend), path)
}

function methodsAt(router: Router<EndpointState>, path: string): readonly string[] {
  const { path: layers } = router.match(path, 'GET')
  // A HEAD request would do what GET does: begin or complete a login, or log out.
  return layers.flatMap((layer) => layer.methods).filter((method) => method !== 'HEAD')
}

function endpointRoutes(frontend: ProvisionedFrontend): Koa.Middleware<EndpointState> {
  const router = endpointRouter(frontend)
  const routes = router.routes() as Koa.Middleware<EndpointState>

  return async function endpoint(ctx, next) {
    const { path } = ctx.state.call.target
    const methods = methodsAt(router, path)
    const [layer] = router.match(path, 'GET').path
    if (layer !== undefined) nameRequest(ctx.req, String(layer.path))
    if (methods.length === 0) throw new Refusal('bff.endpoint.unknown', 'the gateway has no such endpoint')
    if (!methods.includes(ctx.method)) {
      ctx.set('Allow', methods.join(', '))
      throw new Refusal('bff.endpoint.method_not_allowed', `this endpoint takes ${methods.join(' and ')}`)
    }
    ctx.path = path
    await routes(ctx, next)
  }
}

/** These calls are use of the session, unless they only look (`?slide=false`) or come from a page of another host. */
const keepCurrentSession: Koa.Middleware<EndpointState> = async function keepCurrentSession(ctx, next) {
  const { call, open } = ctx.state
  const onlyLooks = searchParameters(call.target.query).get('slide') === 'false'
  if (open !== undefined && !onlyLooks && isFromOwnPage(call.request, call.frontend)) {
    await keepSession(call, open, ctx.res)
  }
  await next()
}
