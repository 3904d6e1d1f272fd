import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { sharedLookup } from '../../http/shared-lookup.js'
import { tlsPreset } from '../../http/tls.js'
import { publish } from '../../telemetry/events.js'
import type { ClientOptions, ServerAlgorithm } from '../options.js'
import { signToken } from '../tokens/jws.js'
import type { SigningKeys } from '../tokens/signing-keys.js'
import type { SignInSession } from './sign-in-session.js'

/** Tells clients that a session has ended. @see OpenID Connect Back-Channel Logout 1.0 §2.5 */
export interface BackchannelLogout {
  /** Returns at once; no user's logout waits for a client that does not answer. */
  notify(session: SignInSession): void
  /** One last try for what is still waiting, then no more. */
  close(): Promise<void>
}

export interface BackchannelLogoutOptions {
  readonly issuer: string
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly keys: SigningKeys
  readonly defaultAlgorithm: ServerAlgorithm
  /** Seconds before each further try. Default: 1, 5, 30, 120. */
  readonly retryAfter?: readonly number[]
  /** Seconds for one try. Default: 5. */
  readonly timeout?: number
  readonly now: () => number
}

export function createBackchannelLogout({
  issuer,
  clients,
  keys,
  defaultAlgorithm,
  retryAfter = [1, 5, 30, 120],
  timeout = 5,
  now,
}: BackchannelLogoutOptions): BackchannelLogout {
  const dispatcher = new Agent({ connect: { ...tlsPreset, lookup: sharedLookup, timeout: timeout * 1000 } })
  const closing = new AbortController()
  const underway = new Set<Promise<void>>()

  const logoutToken = ({ clientId, idTokenAlgorithm = defaultAlgorithm }: ClientOptions, session: SignInSession) => {
    const issuedAt = Math.floor(now())
    return signToken(keys.current(idTokenAlgorithm), 'logout+jwt', {
      iss: issuer,
      sub: session.subject,
      aud: clientId,
      iat: issuedAt,
      exp: issuedAt + 120,
      jti: randomUUID(),
      sid: session.sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
  }

  const post = async (uri: string, token: string): Promise<boolean> => {
    try {
      const { statusCode, body } = await request(uri, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
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

  const deliver = async (client: ClientOptions, uri: string, session: SignInSession): Promise<void> => {
    for (let attempts = 1; ; attempts++) {
      // A fresh token each time: the client may have seen the last one and must refuse its `jti` the second time.
      const delivered = await post(uri, await logoutToken(client, session))
      const wait = retryAfter[attempts - 1]
      if (delivered || wait === undefined || closing.signal.aborted) {
        const { clientId } = client
        publish({ type: 'as.backchannel-logout.sent', client: clientId, sid: session.sid, delivered, attempts })
        return
      }
      await delay(wait * 1000, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    notify(session) {
      for (const clientId of session.clients) {
        const client = clients.get(clientId)
        if (client?.backchannelLogoutUri === undefined) continue
        const delivery = deliver(client, client.backchannelLogoutUri, session).catch((error: unknown) => {
          publish({ type: 'as.request.failed', endpoint: 'backchannel-logout', error: nameOf(error) })
        })
        underway.add(delivery)
        delivery.finally(() => underway.delete(delivery))
      }
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      await Promise.all(underway)
      await dispatcher.close()
    },
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown'
}
