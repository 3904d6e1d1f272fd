import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { networksOf } from '../../http/limits/networks.js'
import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import { publish } from '../../telemetry/events.js'

/** Wrong tokens of one network within a minute, beyond which it is told to wait. */
const mostFailures = 10

/**
 * Whether a caller has the token. The right one is always taken: who guesses next to an administrator, from behind the same
 * address, keeps no administrator out.
 */
export interface AdminToken {
  /** `right`, `wrong`, or the seconds to wait before the next guess. */
  check(given: string | undefined, address: string): 'right' | 'wrong' | { readonly wait: number }
  /** Of the request's `Authorization`. */
  checkRequest(request: IncomingMessage): ReturnType<AdminToken['check']>
  /** A key that changes with the token: for what is made for those who had it. */
  keyFor(purpose: string): Buffer
}

export function createAdminToken(token: string): AdminToken {
  const expected = digest(token)
  const failures = createWindowedCounts({ window: 60, maxKeys: 10_000 })

  const check: AdminToken['check'] = (given, address) => {
    // Of equal length whatever was sent, so that the comparison takes as long for every guess.
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return 'right'
    const [{ name: network }] = networksOf(address)
    // A program that has not been told the token guesses nothing.
    if (given === undefined) return 'wrong'
    const wait = failures.wait(network, mostFailures)
    if (wait > 0) return { wait }
    failures.add(network)
    publish({ type: 'server.administration.refused', network })
    return 'wrong'
  }
  return {
    check,
    checkRequest({ headers: { authorization }, socket }) {
      const [, given] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
      return check(given, socket.remoteAddress ?? '')
    },
    keyFor: (purpose) => createHash('sha256').update(`sallyport ${purpose}`).update(expected).digest(),
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
