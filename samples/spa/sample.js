/*
 * All that a single-page app needs to know of its gateway: send `X-CSRF: 1` with every call of a script, send the browser to
 * `bff/login` when there is no session, never look for a token.
 */

import { definitions, element } from './element.js'
import { compared, explained, furtherReading, onTheWire, thingsTable } from './lessons.js'

/** Where this frontend is: the longest of the prefixes that the page links to. */
const prefixes = [...document.querySelectorAll('[data-frontend]')].map((link) => link.dataset.frontend)
const [prefix = '/'] = prefixes
  .filter((path) => location.pathname.startsWith(path))
  .sort((left, right) => right.length - left.length)
const base = new URL(prefix, location.origin)
const at = (path) => new URL(path, base)

/** @returns {Promise<Response>} */
function call(method, path, { bare = false, body } = {}) {
  return fetch(at(path), {
    method,
    headers: { ...(bare ? {} : { 'X-CSRF': '1' }), ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
}

const $ = (id) => document.getElementById(id)

function time(value) {
  return new Date(typeof value === 'number' ? value * 1000 : value).toLocaleTimeString([], { timeStyle: 'short' })
}

async function showUser() {
  const answer = await call('GET', 'bff/user')
  const { authenticated, logoutUrl, sessionExpiresAt, ...claims } = await answer.json()
  $('signed-out').hidden = authenticated
  $('signed-in').hidden = !authenticated
  $('sign-in').href = `${at('bff/login')}?returnUrl=${encodeURIComponent(location.pathname)}`
  if (!authenticated) return false

  $('greeting').textContent = `Hello, ${claims.name ?? claims.sub}`
  $('expiry').textContent = `Your session ends at ${time(sessionExpiresAt)}, or when you do nothing for long enough.`
  $('account').replaceChildren(
    element('span', claims.name ?? claims.sub),
    element('a', 'Sign out', { href: logoutUrl, className: 'button quiet', id: 'sign-out' }),
  )
  definitions($('claims'), claims)
  return true
}

async function showSessions() {
  const answer = await call('GET', 'bff/sessions')
  if (!answer.ok) return
  const { sessions } = await answer.json()
  $('sessions').replaceChildren(
    ...sessions.map((session) => {
      const device = session.isCurrent ? 'This browser' : (session.userAgent ?? 'Another browser').slice(0, 60)
      const item = element('li', element('span', `${device}, since ${time(session.createdAt)}`))
      if (!session.isCurrent) {
        const end = element('button', 'End', { type: 'button', className: 'quiet' })
        end.setAttribute('aria-label', `End the session of ${device}`)
        end.addEventListener('click', async () => {
          await call('DELETE', `bff/sessions/${encodeURIComponent(session.handle)}`)
          await showSessions()
        })
        item.append(end)
      }
      return item
    }),
  )
}

async function showCall(method, path, bare) {
  const started = performance.now()
  const body = method === 'POST' ? { item: 'A small castle', quantity: 1 } : undefined
  const answer = await call(method, path, { bare, body })
  const took = `${Math.round(performance.now() - started)} ms`
  const result = await answer.json().catch(() => ({}))

  const sent = definitions(element('dl'), {
    request: `${method} ${at(path).pathname}`,
    cookie: 'session (HttpOnly: this page cannot read it)',
    'X-CSRF': bare ? 'not sent' : '1',
    authorization: 'none: this page has no token',
  })
  const steps = [element('li', [element('h3', 'This page sent'), sent])]

  if (result.seen) {
    const { proof, watchedAt, ...token } = result.seen
    steps.push(
      element('li', [element('h3', 'The API saw: the token'), explained(token)]),
      element('li', [element('h3', 'The API saw: the proof'), explained(proof ?? {})]),
    )
    const changes = compared(result.seen)
    if (changes) steps.push(changes)
    if (watchedAt) steps.push(onTheWire(watchedAt))
  }
  const { seen: _, ...rest } = result
  steps.push(
    element('li', [
      element('h3', 'The answer'),
      element('p', `${answer.status} ${answer.ok ? 'OK' : (result.title ?? '')} in ${took}`, {
        className: answer.ok ? 'good' : 'bad',
      }),
      definitions(element('dl'), rest),
    ]),
  )
  $('path').replaceChildren(...steps)
  $('path').dataset.status = String(answer.status)
  // The gateway says where to sign in; a page that loses its session goes there once, by navigation.
  if (answer.status === 401 && result.loginUrl) await showUser()
}

function notice(message) {
  $('notice').textContent = message
  $('notice').hidden = false
}

$('things').replaceChildren(thingsTable())
$('further').replaceChildren(...furtherReading())

for (const link of document.querySelectorAll('[data-frontend]'))
  if (link.dataset.frontend === base.pathname) link.setAttribute('aria-current', 'page')
for (const button of document.querySelectorAll('[data-call]'))
  button.addEventListener('click', () => {
    const [method, path] = button.dataset.call.split(' ')
    showCall(method, path, 'bare' in button.dataset).catch((error) =>
      notice(`The gateway did not answer: ${error.message}`),
    )
  })

const refused = new URLSearchParams(location.search).get('error')
if (refused) notice(`Signing in did not work: ${refused}.`)
showUser()
  .then((authenticated) => authenticated && showSessions())
  .catch((error) => notice(`The gateway did not answer: ${error.message}`))
