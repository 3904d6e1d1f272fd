/** A browser without a screen and without scripts: it keeps cookies, follows redirects by hand and fills in forms. */
export interface UserAgent {
  /** One request; redirects are answers. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  /** A top-level navigation: follows redirects until a document or `stopAt`. */
  navigate(url: string | URL, options?: NavigateOptions): Promise<Landing>
  /** Fills in and submits the form on a page, as pressing its button does. */
  submit(page: Landing, fields: Readonly<Record<string, string>>, options?: SubmitOptions): Promise<Landing>
  /** What `fetch` of our own page sends along. */
  call(url: string | URL, init?: RequestInit): Promise<Response>
  cookies(url: string | URL): ReadonlyMap<string, string>
}

export interface NavigateOptions {
  /** Stops before a redirect to a URL that fits, and lands there without a request. */
  readonly stopAt?: (url: URL) => boolean
}

export interface SubmitOptions extends NavigateOptions {
  /** The `value` of the submit button that is pressed. Default: the first one. */
  readonly button?: string
}

export interface Landing {
  readonly url: URL
  readonly status: number
  readonly body: string
  /** Every URL on the way, this one included. */
  readonly visited: readonly URL[]
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
  readonly host: string
}

export interface UserAgentOptions {
  /** What sends a request: for certificates that only a test trusts. Default: the runtime's own. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>
}

export function createUserAgent({ fetch: request = fetch }: UserAgentOptions = {}): UserAgent {
  const jar = new Map<string, Cookie>()

  const cookies = (url: URL): Map<string, string> =>
    new Map(
      [...jar.values()]
        .filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path))
        .map(({ name, value }) => [name, value]),
    )

  const keep = (url: URL, header: string): void => {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
    const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    const attribute = (wanted: string): string | undefined =>
      attributes.find((part) => part.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
    const path = attribute('path') ?? '/'
    const key = `${url.hostname} ${path} ${name}`
    const expired = attribute('max-age') === '0' || Date.parse(attribute('expires') ?? '') < Date.now()
    if (expired) jar.delete(key)
    else jar.set(key, { name, value, path, host: url.hostname })
  }

  const send = async (target: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(target)
    const headers = new Headers(init.headers)
    const cookie = [...cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookie !== '') headers.set('Cookie', cookie)
    const response = await request(url, { ...init, headers, redirect: 'manual' })
    for (const header of response.headers.getSetCookie()) keep(url, header)
    return response
  }

  const follow = async (start: URL, init: RequestInit, { stopAt }: NavigateOptions): Promise<Landing> => {
    const visited = [start]
    let response = await send(start, init)
    for (let hop = 0; hop < 20; hop++) {
      const location = response.headers.get('location')
      const url = visited.at(-1) ?? start
      if (location === null || response.status < 300 || response.status > 399)
        return { url, status: response.status, body: await response.text(), visited }
      await response.body?.cancel()
      const next = new URL(location, url)
      visited.push(next)
      if (stopAt?.(next)) return { url: next, status: 0, body: '', visited }
      response = await send(next, { headers: navigation })
    }
    throw new Error(`too many redirects: ${visited.join(' ')}`)
  }

  return {
    fetch: send,
    navigate: (url, options = {}) => follow(new URL(url), { headers: navigation }, options),
    submit(page, fields, { button, ...options } = {}) {
      const form = formOn(page.body, button)
      const parameters = new URLSearchParams({ ...form.fields, ...fields })
      const action = new URL(form.action || page.url, page.url)
      const headers = { ...navigation, Origin: page.url.origin, 'Content-Type': 'application/x-www-form-urlencoded' }
      return follow(action, { method: 'POST', headers, body: parameters.toString() }, options)
    },
    call: (url, init = {}) =>
      send(url, {
        ...init,
        headers: { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', ...init.headers },
      }),
    cookies: (url) => cookies(new URL(url)),
  }
}

const navigation = {
  Accept: 'text/html,application/xhtml+xml',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'same-origin',
}

/** The hidden fields, the pressed button and the action of the form that has that button. */
function formOn(body: string, button?: string): { readonly action: string; readonly fields: Record<string, string> } {
  for (const [, head = '', inner = ''] of body.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)) {
    const buttons = [...inner.matchAll(/<button([^>]*)>/g)].map(([, attributes = '']) => attributes)
    const pressed = button === undefined ? buttons[0] : buttons.find((own) => attributeOf(own, 'value') === button)
    if (pressed === undefined) continue
    const fields: Record<string, string> = {}
    for (const [, input = ''] of inner.matchAll(/<input([^>]*)>/g)) {
      const [name, type] = [attributeOf(input, 'name'), attributeOf(input, 'type')]
      if (name && (type === 'hidden' || attributeOf(input, 'value'))) fields[name] = attributeOf(input, 'value')
    }
    const name = attributeOf(pressed, 'name')
    if (name) fields[name] = attributeOf(pressed, 'value')
    return { action: attributeOf(head, 'action'), fields }
  }
  throw new Error(`no form with ${button ?? 'a button'} on this page:\n${body}`)
}

function attributeOf(tag: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return value
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
