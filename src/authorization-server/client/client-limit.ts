import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import type { FailureLimit } from '../../http/limits/network-limit.js'
import { clientOf, type IsTrustedPeer } from '../../http/trusted-peers.js'

/**
 * For the endpoints of clients: requests whose sender did not prove who it is count, before the body is read. What a client
 * that did prove it gets wrong after that is no guess.
 */
export function limitStrangers(limit: FailureLimit, isTrustedPeer: IsTrustedPeer): Koa.Middleware {
  return async function limitStrangers(ctx, next) {
    const { address } = clientOf(ctx.req, isTrustedPeer)
    await limit.assertRoom(address)
    try {
      await next()
    } catch (error) {
      if (ctx.state.clientId === undefined && error instanceof ProtocolError) await limit.failed(address)
      throw error
    } finally {
      if (ctx.state.clientId !== undefined) await limit.proved(address)
    }
  }
}
