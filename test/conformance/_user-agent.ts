import { form, formContentType, type Outgoing, type Send } from './_http.js'

/** Where a navigation ended: outside (the client's redirect URI), or on a page. */
export type Arrival =
  | { readonly kind: 'left'; readonly url: URL }
  | { readonly kind: 'page'; readonly url: URL; readonly status: number; readonly markup: string }

export interface UserAgent {
  /** Follows redirects as a browser does. */
  open(url: string | URL, from?: URL): Promise<Arrival>
  /** Types into the fields that are named, keeps what the page had in the others, and presses the button. */
  submit(page: Arrival, form: Form, values: Readonly<Record<string, string>>, button?: Control): Promise<Arrival>
  send(url: string | URL, outgoing?: Outgoing): ReturnType<Send>
  /** Status of each answer on the way, by the URL asked. */
  readonly trail: readonly { readonly method: string; readonly url: string; readonly status: number }[]
}

export interface UserAgentOptions {
  readonly send: Send
  /** Whether a redirect leaves what this user agent can reach: it stops there and tells where it was sent. */
  readonly leaves: (url: URL) => boolean
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
  readonly secure: boolean
}

/** A browser without scripts: plain HTML forms, redirects and a cookie jar. */
export function createUserAgent({ send, leaves }: UserAgentOptions): UserAgent {
  const jar = new Map<string, Cookie>()
  const trail: { method: string; url: string; status: number }[] = []

  async function exchange(url: URL, outgoing: Outgoing): ReturnType<Send> {
    const cookies = [...jar.values()].filter((cookie) => goesTo(cookie, url))
    const headers = [...(outgoing.headers ?? [])]
    if (cookies.length > 0) headers.push('cookie', cookies.map(({ name, value }) => `${name}=${value}`).join('; '))
    const answer = await send(url, { ...outgoing, headers })
    for (const line of answer.header('set-cookie')) keep(jar, url, line)
    trail.push({ method: outgoing.method ?? 'GET', url: url.href, status: answer.status })
    return answer
  }

  async function navigate(start: URL, from: URL | undefined, outgoing: Outgoing = {}): Promise<Arrival> {
    let url = start
    let cause = from
    let next = outgoing
    for (let hops = 0; hops < 20; hops++) {
      if (leaves(url)) return { kind: 'left', url }
      const headers = [...navigationHeaders(url, cause), ...(next.headers ?? [])]
      const answer = await exchange(url, { ...next, headers })
      const [location] = answer.header('location')
      if (answer.status < 300 || answer.status > 399 || location === undefined)
        return { kind: 'page', url, status: answer.status, markup: answer.body }
      // 303 turns everything into GET; 301 and 302 do it to a POST; 307 and 308 repeat the request.
      const repeats = answer.status === 307 || answer.status === 308
      // Once a chain of redirects has left its origin it does not become its own again.
      cause = cause?.origin === url.origin || cause === undefined ? url : cause
      url = new URL(location, url)
      next = repeats ? next : {}
    }
    throw new Error('too many redirects')
  }

  return {
    trail,
    open: (url, from) => navigate(new URL(url), from),
    submit(page, { action, method, controls }, values, button) {
      const fields: Record<string, string> = {}
      for (const { name, value, type } of controls) if (name !== '' && type !== 'submit') fields[name] = value
      Object.assign(fields, values)
      if (button !== undefined && button.name !== '') fields[button.name] = button.value
      const target = new URL(action, page.url)
      if (method === 'GET') {
        target.search = form(fields)
        return navigate(target, page.url)
      }
      const headers = [...formContentType, 'origin', page.url.origin]
      return navigate(target, page.url, { method: 'POST', headers, body: form(fields) })
    },
    send: (url, outgoing = {}) => exchange(new URL(url), outgoing),
  }
}

/** What a browser says about a navigation. `from`: the page or redirect that caused it; none for a typed address. */
function navigationHeaders(url: URL, from: URL | undefined): readonly string[] {
  const site =
    from === undefined
      ? 'none'
      : from.origin === url.origin
        ? 'same-origin'
        : from.hostname === url.hostname
          ? 'same-site'
          : 'cross-site'
  const accept = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'
  return ['accept', accept, 'sec-fetch-mode', 'navigate', 'sec-fetch-dest', 'document', 'sec-fetch-site', site]
}

/** RFC 6265bis §5, as far as a test needs it: attributes, prefixes, deletion. */
function keep(jar: Map<string, Cookie>, url: URL, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const name = pair.slice(0, pair.indexOf('='))
  const value = pair.slice(pair.indexOf('=') + 1)
  const attribute = (wanted: string): string | undefined => {
    const found = attributes.find((candidate) => candidate.split('=')[0]?.toLowerCase() === wanted)
    return found === undefined ? undefined : found.slice(found.indexOf('=') + 1)
  }
  const secure = attribute('secure') !== undefined
  const path = attribute('path')
  const trustworthy = url.protocol === 'https:' || ['localhost', '127.0.0.1'].includes(url.hostname)
  if (secure && !trustworthy) return
  if (name.toLowerCase().startsWith('__host-') && (!secure || path !== '/' || attribute('domain') !== undefined)) return
  if (name.toLowerCase().startsWith('__secure-') && !secure) return
  const key = `${url.host} ${path ?? '/'} ${name}`
  const gone = Number(attribute('max-age') ?? 1) <= 0 || Date.parse(attribute('expires') ?? '') < Date.now()
  if (gone) jar.delete(key)
  else jar.set(key, { name, value, host: url.host, path: path?.startsWith('/') ? path : '/', secure })
}

function goesTo(cookie: Cookie, url: URL): boolean {
  const { path } = cookie
  const below = url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
  return cookie.host === url.host && below
}

export interface Control {
  readonly type: string
  readonly name: string
  readonly value: string
  readonly text: string
}

export interface Form {
  readonly action: string
  readonly method: 'GET' | 'POST'
  readonly controls: readonly Control[]
}

/** The forms of a page, read from its markup alone. */
export function formsOf(markup: string): readonly Form[] {
  return [...markup.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, attributes = '', content = '']) => ({
    action: attributeOf(attributes, 'action') ?? '',
    method: attributeOf(attributes, 'method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
    controls: [...content.matchAll(/<input\b([^>]*)>|<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(
      ([, input, button = '', text = '']) => ({
        type: attributeOf(input ?? button, 'type') ?? (input === undefined ? 'submit' : 'text'),
        name: attributeOf(input ?? button, 'name') ?? '',
        value: attributeOf(input ?? button, 'value') ?? '',
        text: text.replace(/<[^>]*>/g, '').trim(),
      }),
    ),
  }))
}

/** The links of a page. */
export function linksOf(markup: string): readonly { readonly href: string; readonly text: string }[] {
  return [...markup.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/gi)].map(([, attributes = '', text = '']) => ({
    href: attributeOf(attributes, 'href') ?? '',
    text: text.replace(/<[^>]*>/g, '').trim(),
  }))
}

function attributeOf(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(attributes)
  const value = found?.[1] ?? found?.[2] ?? found?.[3]
  return value?.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (entity) => entities[entity] ?? entity)
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&#x27;': "'",
}
