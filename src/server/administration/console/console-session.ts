import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { cookieValue, ownCookieName, setCookie } from '../../../http/cookie.js'
import { createWindowedCounts } from '../../../http/limits/windowed-counts.js'
import type { AdministrationSource } from '../source.js'

/** Someone who has shown the token in this browser. */
export interface ConsoleSession {
  readonly id: string
  /** Seconds since the epoch. */
  readonly begunAt: number
  /** What its forms carry: a page of another port, to which the browser would send the cookie, does not know it. */
  readonly formValue: string
}

export interface ConsoleSessions {
  begin(response: ServerResponse): void
  /** Undefined: there is none any more. Its time begins anew. */
  open(request: IncomingMessage, response: ServerResponse): Promise<ConsoleSession | undefined>
  isFormOf(session: ConsoleSession, value: string | undefined): boolean
  end(session: ConsoleSession, response: ServerResponse): Promise<void>
}

/** Seconds without a request. */
const idle = 900
/** Seconds since the token was shown. */
const absolute = 8 * 3600

/** The admin listener speaks plain http. */
const cookieName = ownCookieName('admin', 'console', new URL('http://localhost'))

/**
 * The cookie is signed, with a key that follows from the token: any replica takes it, until someone signs out, and with a new token it is over. It is
 * not the token, and does not lead to it.
 */
export function createConsoleSessions(
  keyFor: (purpose: string) => Buffer,
  source: Pick<AdministrationSource, 'endConsoleSession' | 'isConsoleSessionEnded'>,
  now: () => number = () => Date.now() / 1000,
): ConsoleSessions {
  const key = keyFor('console')
  // What the store is asked besides. While it is away, and the console is needed most, this process still knows its own.
  const ended = createWindowedCounts({ window: absolute, maxKeys: 10_000 })
  const isEnded = async (id: string): Promise<boolean> =>
    ended.wait(id, 1) > 0 || source.isConsoleSessionEnded({ id }).catch(() => false)
  const mac = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')
  const isMac = (text: string, given: string): boolean => {
    const expected = Buffer.from(mac(text))
    const found = Buffer.from(given)
    return expected.length === found.length && timingSafeEqual(expected, found)
  }
  const write = (response: ServerResponse, id: string, begunAt: number): void => {
    const until = Math.floor(Math.min(now() + idle, begunAt + absolute))
    const text = `${id}.${begunAt}.${until}`
    setCookie(response, cookieName, `${text}.${mac(text)}`, { sameSite: 'strict', maxAge: until - now() })
  }

  return {
    begin: (response) => write(response, randomBytes(16).toString('base64url'), Math.floor(now())),
    async open(request, response) {
      const [id = '', begun = '', until = '', given = ''] = (
        cookieValue(request.headers.cookie, cookieName) ?? ''
      ).split('.')
      if (!isMac(`${id}.${begun}.${until}`, given) || Number(until) <= now() || (await isEnded(id))) return undefined
      write(response, id, Number(begun))
      return { id, begunAt: Number(begun), formValue: mac(`form ${id}`) }
    },
    isFormOf: ({ id }, value = '') => isMac(`form ${id}`, value),
    async end({ id, begunAt }, response) {
      ended.add(id)
      await source.endConsoleSession({ id, until: begunAt + absolute }).catch(() => undefined)
      setCookie(response, cookieName, '', { sameSite: 'strict', maxAge: 0 })
    },
  }
}
