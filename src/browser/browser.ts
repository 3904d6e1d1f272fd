import type { FrameLogin } from './frame.js'

/** What `P/user` says of the user of this browser. */
export interface User {
  /** Whether there is a session. */
  readonly authenticated: boolean
  /** When it ends if no other call comes: ISO 8601. */
  readonly sessionExpiresAt?: string
  /** For a link or a form; `logout()` needs none. */
  readonly logoutUrl?: string
  /** Claims of the ID token, as `UserClaims` of the frontend lets them through. */
  readonly [claim: string]: unknown
}

/** What `createSallyport` takes. */
export interface SallyportOptions {
  /** Path of the gateway's endpoints for this frontend. Default: `/bff`. */
  readonly base?: string
  /** Called when the user has logged in or out, in this tab or another, or the session has ended. */
  readonly onChange?: (user: User) => void
  /** Called once before the session ends, with the seconds that are left. Any call keeps the session alive. */
  readonly onExpiring?: (secondsLeft: number) => void
  /**
   * Called when the page is there again after a stronger or more recent sign-in, with the answer to the call that needed it:
   * it has been made once more. Without it the page comes back, and no call is kept.
   */
  readonly onRepeated?: (answer: Response, call: { readonly url: string; readonly method: string }) => void
  /**
   * Of a page that other sites show in a frame: `createFrameLogin()` of `sallyport/browser/frame`. Logins and logouts open a
   * window then, and this page stays; a refused call opens none by itself.
   */
  readonly frame?: FrameLogin | undefined
  /** Seconds before the end at which `onExpiring` is called. Default: 60. */
  readonly warnBefore?: number
}

/** The gateway, as a page sees it. */
export interface Sallyport {
  /** `fetch` with the header the gateway wants (`X-CSRF: 1`). A session that is over leads to the login, once. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** Who is signed in. Asking counts as use of the session. @throws Error when the gateway does not answer with 200 */
  user(): Promise<User>
  /**
   * Leaves the page for the login and comes back. Default: to this very page. In a frame it resolves when the user has signed in.
   * @throws Error in a frame, when the browser blocks the window or the login is not completed
   */
  login(returnUrl?: string): Promise<void>
  /** Ends the session here and at the authorization server, tells the other tabs, and leaves the page. */
  logout(): Promise<void>
  /** Stops watching the session and the other tabs. */
  close(): void
}

declare const location: { readonly href: string; readonly hash: string; assign(url: string): void }
declare const history: { replaceState(state: unknown, unused: string, url: string): void }
declare const sessionStorage: {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** A call that waits for a sign-in: the mark its page comes back with, the page, and the call. */
type KeptCall = readonly [mark: string, page: string, url: string, init: RequestInit]

/**
 * Calls a gateway from a page of its frontend. Needs no configuration where the frontend has no path prefix.
 * @example
 * ```ts
 * import { createSallyport } from 'sallyport/browser'
 *
 * const sallyport = createSallyport({ onExpiring: (seconds) => console.log(`signed out in ${seconds} s`) })
 * const user = await sallyport.user()
 * if (!user.authenticated) sallyport.login()
 * const orders = await sallyport.fetch('/api/orders')
 * console.log(await orders.json())
 * ```
 */
export function createSallyport({
  base = '/bff',
  onChange,
  onExpiring,
  onRepeated,
  frame,
  warnBefore = 60,
}: SallyportOptions = {}): Sallyport {
  const tabs = new BroadcastChannel(`sallyport ${base}`)
  let known: boolean | undefined
  let leaving = false
  let timer: ReturnType<typeof setTimeout> | undefined

  const call = (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('X-CSRF', '1')
    return fetch(input, { ...init, headers })
  }

  /** @param slide Whether asking counts as use of the session. */
  const ask = async (slide: boolean): Promise<User> => {
    const answer = await call(`${base}/user${slide ? '' : '?slide=false'}`)
    if (!answer.ok) throw new Error(`${base}/user answered ${answer.status}`)
    const user = (await answer.json()) as User
    watch(user)
    return user
  }

  const learn = (user: User): User => {
    const changed = known !== undefined && known !== user.authenticated
    known = user.authenticated
    if (changed) onChange?.(user)
    return user
  }

  /** Other tabs keep the session alive as well: before a warning the gateway is asked, without sliding. */
  const watch = (user: User): void => {
    clearTimeout(timer)
    const left = () => (Date.parse(user.sessionExpiresAt ?? '') - Date.now()) / 1000
    if (!user.authenticated || Number.isNaN(left())) return
    const wait = (seconds: number, then: () => void) => {
      timer = setTimeout(then, Math.min(Math.max(seconds, 0.1) * 1000, 2 ** 31 - 1))
    }
    const look = () => ask(false).then(learn, () => wait(warnBefore, look))
    if (left() > warnBefore) wait(left() - warnBefore, look)
    else {
      onExpiring?.(Math.round(left()))
      wait(left() + 1, look)
    }
  }

  /** @param loginUrl Perhaps an API's: only its query is taken. @returns whether this page stays */
  const leave = async (returnUrl: string, loginUrl = ''): Promise<boolean> => {
    const query = loginUrl.replace(/^[^?]*\??|#.*/g, '')
    if (frame) {
      await frame.login(query)
      tabs.postMessage('in')
      learn(await ask(true))
    } else if (!leaving) {
      leaving = true
      // A user who stops the navigation, or comes back to this page, may be sent again.
      setTimeout(() => {
        leaving = false
      }, 5000)
      location.assign(`${base}/login?${query && `${query}&`}returnUrl=${encodeURIComponent(returnUrl)}`)
    }
    return !!frame
  }

  const storageKey = `sallyport ${base}`

  /** @returns where the page has to come back to */
  const keep = (url: string | URL, { method, headers, body }: RequestInit = {}): string => {
    const page = location.href
    if (!onRepeated || leaving || (body && typeof body !== 'string')) return page
    const mark = `#${crypto.randomUUID()}`
    const init = { method, headers: [...new Headers(headers)], body }
    sessionStorage.setItem(storageKey, JSON.stringify([mark, page, url, init]))
    return page.replace(/#.*/, '') + mark
  }

  if (onRepeated) {
    const [mark = '', page = '', url = '', init = {}] = JSON.parse(
      sessionStorage.getItem(storageKey) ?? '[]',
    ) as Partial<KeptCall>
    sessionStorage.removeItem(storageKey)
    // That very login has brought the page back, not a reload.
    if (mark && location.hash === mark) {
      history.replaceState(null, '', page)
      void call(url, init).then((answer) => onRepeated(answer, { url, method: init.method ?? 'GET' }))
    }
  }

  tabs.onmessage = () => void ask(false).then(learn, () => undefined)

  return {
    async fetch(input, init) {
      const answer = await call(input, init)
      if (answer.status === 401 && answer.headers.get('content-type') === 'application/problem+json') {
        const { code, loginUrl = '' } = (await answer.clone().json()) as {
          readonly code?: string
          readonly loginUrl?: string
        }
        if (code === 'bff.step_up.required')
          return (await leave(keep(input, init), loginUrl).catch(() => false)) ? call(input, init) : answer
        // By a login in another tab.
        if (code === 'bff.session.ended' && (await ask(false).catch(() => undefined))?.authenticated)
          return call(input, init).catch(() => answer)
        // An API's own 401 is the page's business.
        if (code?.startsWith('bff.session.'))
          await (frame ? ask(false).then(learn, () => {}) : leave(location.href, loginUrl))
      }
      return answer
    },
    async user() {
      const user = await ask(true)
      if (known === undefined && user.authenticated) tabs.postMessage('in')
      return learn(user)
    },
    login: (returnUrl = location.href) => leave(returnUrl).then(() => {}),
    async logout() {
      const answer = await call(`${base}/logout`, { method: 'POST' })
      const { redirectTo } = (await answer.json()) as { readonly redirectTo: string }
      tabs.postMessage('out')
      leaving = true
      const place = frame ?? location
      place.assign(redirectTo)
      if (frame) learn(await ask(false))
    },
    close() {
      clearTimeout(timer)
      tabs.close()
    },
  }
}
