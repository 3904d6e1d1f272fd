import { type Arrival, type Form, formsOf, linksOf, type UserAgent } from './_user-agent.js'

export type Decision = 'allow' | 'cancel'

export interface User {
  readonly name: string
  readonly password: string
}

/** Signs in and decides, page by page, until the browser leaves or nothing is left to press. */
export async function signIn(userAgent: UserAgent, arrival: Arrival, decision: Decision, user: User): Promise<Arrival> {
  let here = arrival
  for (let pages = 0; here.kind === 'page' && pages < 5; pages++) {
    const next = await press(userAgent, here, decision, user)
    if (next === undefined) return here
    here = next
  }
  return here
}

async function press(
  userAgent: UserAgent,
  page: Extract<Arrival, { kind: 'page' }>,
  decision: Decision,
  user: User,
): Promise<Arrival | undefined> {
  const forms = formsOf(page.markup)
  if (decision === 'cancel') {
    for (const candidate of forms) {
      const button = candidate.controls.find(
        ({ type, ...said }) => type === 'submit' && says(said, /cancel|deny|abort/i),
      )
      if (button !== undefined) return userAgent.submit(page, candidate, {}, button)
    }
    const link = linksOf(page.markup).find(({ href, text }) =>
      says({ name: '', value: href, text }, /cancel|deny|abort/i),
    )
    return link && userAgent.open(new URL(link.href, page.url), page.url)
  }
  if (forms.some(asksForPassword)) return submitSignIn(userAgent, page, user)
  for (const candidate of forms) {
    const button = candidate.controls.find(
      ({ type, ...said }) => type === 'submit' && !says(said, /cancel|deny|abort|not you|switch|sign.?out/i),
    )
    if (button !== undefined) return userAgent.submit(page, candidate, {}, button)
  }
  return undefined
}

function asksForPassword({ controls }: Form): boolean {
  return controls.some(({ type }) => type === 'password')
}

/** Fills in the sign-in form of a page and sends it. */
export async function submitSignIn(userAgent: UserAgent, page: Arrival, user: User): Promise<Arrival> {
  const form = page.kind === 'page' ? formsOf(page.markup).find(asksForPassword) : undefined
  if (form === undefined) throw new TypeError('is not a sign-in page')
  const { controls } = form
  const name = controls.find(({ type }) => type === 'text' || type === 'email')?.name ?? ''
  const password = controls.find(({ type }) => type === 'password')?.name ?? ''
  const button = controls.find(({ type, ...said }) => type === 'submit' && !says(said, /cancel|deny|abort/i))
  return userAgent.submit(page, form, { [name]: user.name, [password]: user.password }, button)
}

function says(control: { name: string; value: string; text: string }, words: RegExp): boolean {
  return words.test(control.value) || words.test(control.text) || words.test(control.name)
}
