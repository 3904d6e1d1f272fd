import { Headers, type RequestInit, type Response } from 'undici'

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** A browser without a screen, for who tries an attack: keeps cookies, and goes from page to page as it is told. */
export interface LabBrowser {
  /** One request; a redirect is an answer. */
  send(url: string | URL, init?: RequestInit): Promise<Response>
  /** Follows redirects, fills in the forms of the authorization server, and stops before a URL that fits. @returns that URL */
  walk(start: URL, user: LabUser, stopAt: (url: URL) => boolean): Promise<URL>
  /** As the `Cookie` field has them. */
  cookies(): string
}

export interface LabUser {
  readonly username: string
  readonly password: string
}

/** What a browser says when a person opens a page. */
const navigation = {
  Accept: 'text/html',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'same-origin',
}
/** Redirects and forms of one login: a dozen is plenty. */
const maxSteps = 16

export function createLabBrowser(fetch: Fetch): LabBrowser {
  // One host name, and cookies know no ports.
  const cookies = new Map<string, string>()

  const field = (): string => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const send: LabBrowser['send'] = async (url, init = {}) => {
    const headers = new Headers(init.headers)
    if (cookies.size > 0) headers.set('Cookie', field())
    const answer = await fetch(url, { ...init, headers, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      const at = pair.indexOf('=')
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(set)) cookies.delete(pair.slice(0, at))
      else cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return answer
  }

  return {
    send,
    cookies: field,
    async walk(start, { username, password }, stopAt) {
      let url = start
      let answer = await send(url, { headers: navigation })
      for (let step = 0; step < maxSteps; step++) {
        const location = answer.headers.get('location')
        const page = await answer.text()
        if (location !== null) {
          url = new URL(location, url)
          if (stopAt(url)) return url
          answer = await send(url, { headers: navigation })
          continue
        }
        const form = formOn(page)
        if (form === undefined) throw new Error(`the login stopped at ${url.pathname} with status ${answer.status}`)
        if (form.has('username')) {
          form.set('username', username)
          form.set('password', password)
        }
        answer = await send(url, {
          method: 'POST',
          headers: { ...navigation, Origin: url.origin },
          body: form,
        })
      }
      throw new Error('the login did not come to an end')
    },
  }
}

/** The fields of the first form, and its first button. */
function formOn(page: string): URLSearchParams | undefined {
  const form = /<form[^>]*>([\s\S]*?)<\/form>/.exec(page)?.[1]
  if (form === undefined) return undefined
  const fields = new URLSearchParams()
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) fields.set(attribute(tag, 'name'), attribute(tag, 'value'))
  const [button] = /<button[^>]*>/.exec(form) ?? []
  if (button !== undefined && attribute(button, 'name') !== '')
    fields.set(attribute(button, 'name'), attribute(button, 'value'))
  return fields
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
}
