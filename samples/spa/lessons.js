/* What an application does not need and a reader does: what the parts of a call are, and what has changed since the last one. */
import { definitions, element } from './element.js'

const documents = 'https://github.com/sallyport/sallyport/blob/main/docs'

const meanings = {
  scheme: 'DPoP: who sends the token has to prove that it has the key',
  keyThumbprint: 'SHA-256 of the session’s public key; the token names it as cnf.jkt',
  subject: 'whose token it is',
  clientId: 'who asked for it: this frontend’s gateway',
  scopes: 'what it is good for',
  audience: 'which API it is good at',
  htm: 'the method of this one request',
  htu: 'the address that the gateway calls, without the query',
  iat: 'when it was made; a minute later it is too old',
  jti: 'a number that is used once: the API takes no proof twice',
  ath: 'SHA-256 of the access token: the proof is for no other',
}

/** Each member with what it means. */
export function explained(members) {
  const list = definitions(element('dl'), members)
  for (const term of list.querySelectorAll('dt'))
    if (meanings[term.textContent]) term.append(element('span', meanings[term.textContent], { className: 'meaning' }))
  return list
}

let before

/** @returns What is new since the last call, and what is not. Undefined: it is the first one. */
export function compared({ proof = {}, keyThumbprint, subject }) {
  const now = { ...proof, keyThumbprint, subject }
  const last = before
  before = now
  if (last === undefined) return undefined
  const rows = Object.keys(now).map((name) => {
    const isNew = now[name] !== last[name]
    return element('li', [element('b', isNew ? 'new' : 'same', { className: isNew ? 'good' : 'soft' }), ` ${name}`])
  })
  return element('li', [
    element('h3', 'Since your last call'),
    element('p', 'Each call gets a proof of its own, made with the same key for the same token.', {
      className: 'soft',
    }),
    element('ul', rows, { className: 'changes' }),
  ])
}

const things = [
  ['Session cookie', 'this browser, HttpOnly', 'browser and gateway; no script', 'the session'],
  ['Session record', 'the gateway’s store, sealed', 'who has cookie and sealing key', 'the session'],
  ['Access token', 'the session record', 'gateway, server, API', 'minutes'],
  ['Refresh token', 'the session record', 'gateway, server', 'as the server says'],
  ['ID token', 'the session record', 'gateway, server', 'read at login'],
  ['DPoP key', 'the session record', 'the gateway alone', 'the session'],
  ['DPoP proof', 'one request', 'gateway, API or server', 'one use, a minute'],
  ['Code', 'the address of one redirect', 'browser, gateway, server', 'one use, a minute'],
  ['request_uri', 'the address of one redirect', 'browser, gateway, server', 'one login, minutes'],
  ['Client assertion', 'one request', 'gateway, server', 'one use, a minute'],
]
const columns = ['Thing', 'Where it is', 'Who sees it', 'How long']

/** What exists in a login and a call. On a narrow screen each row is a block of its own. */
export function thingsTable() {
  const head = element(
    'tr',
    columns.map((name) => element('th', name, { scope: 'col' })),
  )
  const body = things.map((row) =>
    element(
      'tr',
      row.map((text, index) => {
        const cell = element(index === 0 ? 'th' : 'td', text)
        if (index === 0) cell.scope = 'row'
        else cell.dataset.label = columns[index]
        return cell
      }),
    ),
  )
  return element('table', [element('thead', head), element('tbody', body)])
}

/** Of the demo: where its messages are drawn. */
export function onTheWire(inspector) {
  return element('li', [
    element('h3', 'On the wire'),
    element('p', [link('The flow inspector draws this call, and the login before it', inspector), '.']),
  ])
}

function link(text, href) {
  return element('a', text, { href, target: '_blank', rel: 'noreferrer' })
}

export function furtherReading() {
  return [
    link('What happens in a login, message by message?', `${documents}/message-by-message.md`),
    link('What is protected from whom?', `${documents}/security-model.md`),
    link('What does this error code mean?', `${documents}/errors.md`),
  ].map((each) => element('li', each))
}
