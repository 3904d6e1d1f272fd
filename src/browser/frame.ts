/** Logging in and out from within a frame of another site: in a window, for no authorization server's page may be in a frame. */
export interface FrameLogin {
  /**
   * Opens the window, and waits until the user has signed in there.
   * @param query Parameters of the login, such as `prompt=login`
   * @throws Error when the browser blocks the window (outside a click it does), or the login is not completed within ten minutes
   */
  login(query?: string): Promise<void>
  /** Shows another site's page, as that at which a logout goes on, in a window of its own. */
  assign(url: string): void
}

interface OpenedWindow {
  close(): void
}

interface Form {
  method: string
  action: string
  target: string
  append(field: object): void
  submit(): void
  remove(): void
}

declare const self: object
declare const top: object | null
declare function open(url: string, name: string, features: string): OpenedWindow | null
declare const location: { readonly origin: string; readonly href: string }
declare const document: {
  createElement(name: 'form'): Form
  createElement(name: 'input'): object
  readonly body: { append(form: Form): void }
}

const size = 'popup,width=480,height=680'
/** Milliseconds: how often the frame asks, and for how long. */
const interval = 1000
const patience = 600_000

/**
 * For `createSallyport({ frame })` of a page that other sites embed (`Embedding`). Undefined when the page is in no frame.
 * @param options `base`: path of the gateway's endpoints for this frontend. Default: `/bff`.
 * @example
 * ```ts
 * import { createSallyport } from 'sallyport/browser'
 * import { createFrameLogin } from 'sallyport/browser/frame'
 *
 * const sallyport = createSallyport({ frame: createFrameLogin() })
 * ```
 */
export function createFrameLogin({ base = '/bff' }: { readonly base?: string } = {}): FrameLogin | undefined {
  if (self === top) return undefined
  let attempts = 0

  const post = async (url: string): Promise<Record<string, unknown>> => {
    const answer = await fetch(url, { method: 'POST', headers: { 'X-CSRF': '1' } })
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
    return (await answer.json()) as Record<string, unknown>
  }

  /** A form, and no link: what somebody writes into a page of ours can be a link. */
  const postInto = (target: string, ticket: unknown): void => {
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: `${base}/popup-login/window`, target })
    form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'ticket', value: ticket }))
    document.body.append(form)
    form.submit()
    form.remove()
  }

  return {
    async login(query = '') {
      const name = `sallyport ${base} ${++attempts}`
      // At once: a moment later it is not the click any more that opens it.
      const opened = open('', name, size)
      if (opened === null) throw new Error('the browser has blocked the window for the login: call login() in a click')
      const mine = attempts
      try {
        const { ticket } = await post(`${base}/popup-login${query && `?${query}`}`)
        postInto(name, ticket)
      } catch (error) {
        opened.close()
        throw error
      }
      // Neither the window's `closed` nor its messages come through an authorization server's Cross-Origin-Opener-Policy.
      for (const until = Date.now() + patience; mine === attempts && Date.now() < until; ) {
        await new Promise((resume) => setTimeout(resume, interval))
        if ((await post(`${base}/popup-login/session`)).authenticated === true) return
      }
      throw new Error('the login was not completed')
    },
    assign(url) {
      if (new URL(url, location.href).origin !== location.origin) open(url, '_blank', `${size},noopener`)
    },
  }
}
