/** A browser as far as a server can tell: cookies, forms, redirects one at a time. */
export interface Browser {
  get(url: string): Promise<Page>
  /** Fills in and sends the page's form by one of its buttons. */
  submit(page: Page, button: string, values?: Readonly<Record<string, string>>): Promise<Page>
  /** Follows redirects within the page's own site. */
  follow(page: Page): Promise<Page>
  readonly cookies: Map<string, string>
}

export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly location: string | undefined
}

export function aBrowser(headers: Readonly<Record<string, string>> = {}): Browser {
  const cookies = new Map<string, string>()

  const send = async (url: string, init: RequestInit = {}): Promise<Page> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...headers, ...(cookie !== '' && { cookie }), ...init.headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = response.headers.get('location') ?? undefined
    return { url, status: response.status, headers: response.headers, text: await response.text(), location }
  }

  return {
    cookies,
    get: (url) => send(url),
    submit(page, button, values = {}) {
      const action = /<form[^>]* action="([^"]*)"/.exec(page.text)?.[1] ?? ''
      const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
      const form = new URLSearchParams(
        hidden.map(([, name = '', value = '']): [string, string] => [name, unescaped(value)]),
      )
      for (const [name, value] of Object.entries(values)) form.set(name, value)
      form.set('action', button)
      return send(new URL(action, page.url).href, { method: 'POST', body: form })
    },
    async follow(page) {
      let at = page
      while (at.location?.startsWith(new URL(page.url).origin)) at = await send(at.location)
      return at
    },
  }
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
