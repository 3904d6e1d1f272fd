import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { UpstreamError } from '../../errors.js'
import { sharedLookup } from '../../http/shared-lookup.js'
import { tlsPreset } from '../../http/tls.js'
import { createMemoryStore } from '../../store/memory-store.js'
import type { Seal } from '../../store/seal.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import type { ClientOptions, ServerAlgorithm } from '../options.js'
import { signToken } from '../tokens/jws.js'
import type { SigningKeys } from '../tokens/signing-keys.js'
import {
  type ClaimedDelivery,
  createLogoutDeliveries,
  type LogoutDeliveries,
  type LogoutDelivery,
} from './logout-deliveries.js'
import type { SignInSession } from './sign-in-session.js'

/** Tells clients that a session has ended. @see OpenID Connect Back-Channel Logout 1.0 §2.5 */
export interface BackchannelLogout {
  /** Resolves when it is kept for delivery; no user's logout waits for a client that does not answer. */
  notify(session: SignInSession, requestId: string): Promise<void>
  /** One last try for what this process has waiting. What then is left in the store, the next process delivers. */
  close(): Promise<void>
}

export interface BackchannelLogoutOptions {
  readonly issuer: string
  /** Keeps what is not delivered, for the other replicas and the next start. */
  readonly store: Store
  readonly seal: Seal
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly keys: SigningKeys
  readonly defaultAlgorithm: ServerAlgorithm
  /** Seconds before each further try. Default: 1, 5, 30, 120. */
  readonly retryAfter?: readonly number[]
  /** Seconds for one try. Default: 5. */
  readonly timeout?: number
  /** Seconds between two looks for what a process left that is gone. Default: 5. */
  readonly sweepEvery?: number
  readonly now: () => number
}

/** How many a sweep tries at once. */
const lanes = 32

export function createBackchannelLogout({
  issuer,
  store,
  seal,
  clients,
  keys,
  defaultAlgorithm,
  retryAfter = [1, 5, 30, 120],
  timeout = 5,
  sweepEvery = 5,
  now,
}: BackchannelLogoutOptions): BackchannelLogout {
  const dispatcher = new Agent({ connect: { ...tlsPreset, lookup: sharedLookup, timeout: timeout * 1000 } })
  const closing = new AbortController()
  const underway = new Set<Promise<void>>()
  const memory = createMemoryStore()
  const longestTry = timeout + 5
  const inStore = createLogoutDeliveries(store, seal, longestTry, now)
  const inMemory = createLogoutDeliveries(memory, seal, longestTry, () => Date.now() / 1000)
  /** Those in whose turn this process waits by itself. */
  const own = new Set<string>()

  // A fresh token for each try: the client may have seen the last one and must refuse its `jti` the second time.
  const logoutToken = ({ clientId, subject, sid }: LogoutDelivery) => {
    const { idTokenAlgorithm = defaultAlgorithm } = clients.get(clientId) ?? {}
    const issuedAt = Math.floor(now())
    return signToken(keys.current(idTokenAlgorithm), 'logout+jwt', {
      iss: issuer,
      sub: subject,
      aud: clientId,
      iat: issuedAt,
      exp: issuedAt + 120,
      jti: randomUUID(),
      sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
  }

  const post = async (uri: string, token: string, requestId: string): Promise<boolean> => {
    try {
      const { statusCode, body } = await request(uri, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-request-id': requestId },
        body: new URLSearchParams({ logout_token: token }).toString(),
        dispatcher,
        signal: AbortSignal.timeout(timeout * 1000),
      })
      await body.dump()
      return statusCode >= 200 && statusCode < 300
    } catch {
      // Unreachable or too slow: as good as an error, and worth another try.
      return false
    }
  }

  /** Seconds until the next try; undefined when there is none, or another process sees to it. */
  const attempt = async (deliveries: LogoutDeliveries, id: string): Promise<number | undefined> => {
    const waiting = await deliveries.find(id)
    // One that does not open, or whose client is unknown, may be for a replica with other keys or settings.
    if (waiting === undefined) return undefined
    const uri = clients.get(waiting.clientId)?.backchannelLogoutUri
    if (uri === undefined) return undefined
    const early = waiting.dueAt - now()
    if (early > 0 && !closing.signal.aborted) return early
    const claimed = await deliveries.claim(id)
    if (claimed === undefined) return undefined
    // Another process tried while this one looked.
    if (claimed.delivery.attempts !== waiting.attempts) return void (await claimed.release())
    const token = await logoutToken(claimed.delivery)
    return settle(claimed, await post(uri, token, claimed.delivery.requestId), deliveries)
  }

  const settle = async (
    { delivery: { requestId, clientId, sid, attempts }, finish, postpone }: ClaimedDelivery,
    delivered: boolean,
    deliveries: LogoutDeliveries,
  ): Promise<number | undefined> => {
    const wait = retryAfter[attempts]
    if (delivered || wait === undefined || (closing.signal.aborted && deliveries === inMemory)) {
      const told = { requestId, client: clientId, sid, delivered, attempts: attempts + 1 }
      publish({ type: 'as.backchannel-logout.sent', ...told })
      await finish()
      return undefined
    }
    await postpone(now() + wait)
    return wait
  }

  /** Tries until it is settled, or this server closes: what is in the store then, another one goes on with. */
  const deliver = async (deliveries: LogoutDeliveries, id: string): Promise<void> => {
    for (;;) {
      const wait = await attempt(deliveries, id)
      if (wait === undefined || closing.signal.aborted) return
      await delay(wait * 1000, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    }
  }

  /** Takes up what another process left, with a few at a time: a client that hangs costs the others little. */
  const sweep = async (): Promise<void> => {
    const ids = (await inStore.ids()).filter((id) => !own.has(id)).values()
    const lane = async () => {
      for (const id of ids) {
        if (closing.signal.aborted) return
        await attempt(inStore, id).catch(failed)
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  }

  const run = (work: Promise<void>): Promise<void> => {
    const settled = work.catch(failed).finally(() => underway.delete(settled))
    underway.add(settled)
    return settled
  }

  let sweeping = false
  const timer = setInterval(() => {
    if (sweeping) return
    sweeping = true
    run(sweep()).finally(() => {
      sweeping = false
    })
  }, sweepEvery * 1000).unref()

  const begin = async (delivery: LogoutDelivery): Promise<void> => {
    // Without the store it is told all the same, as long as this process lives.
    const inStoreId = await inStore.add(delivery).catch(() => undefined)
    const deliveries = inStoreId === undefined ? inMemory : inStore
    const id = inStoreId ?? (await inMemory.add(delivery))
    own.add(id)
    run(deliver(deliveries, id)).finally(() => own.delete(id))
  }

  return {
    async notify({ clients: told, subject, sid }, requestId) {
      const toTell = told.filter((clientId) => clients.get(clientId)?.backchannelLogoutUri !== undefined)
      await Promise.all(
        toTell.map((clientId) => begin({ requestId, clientId, subject, sid, attempts: 0, dueAt: now() })),
      )
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      clearInterval(timer)
      await Promise.all(underway)
      await memory.close()
      await dispatcher.close()
    },
  }
}

function failed(error: unknown): void {
  // A store that does not answer says so elsewhere; the next sweep looks again.
  if (error instanceof UpstreamError) return
  publish({
    type: 'as.request.failed',
    endpoint: 'backchannel-logout',
    error: error instanceof Error ? error.name : 'unknown',
  })
}
