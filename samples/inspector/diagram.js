import { element } from './element.js'

const lanes = ['browser', 'gateway', 'authorization-server', 'api']
const names = {
  browser: 'Browser',
  attacker: 'Attacker',
  gateway: 'Gateway',
  'authorization-server': 'Authorization server',
  api: 'API',
}

/** Attacker and browser share a lane: the one plays the other. */
const laneOf = (party) => lanes.indexOf(party === 'attacker' ? 'browser' : party)

export const nameOf = (party) => names[party]

/** What a message carries that the whole is about. */
const worthMarking = [
  ['password', 'password'],
  ['dpop', 'proof'],
  ['authorization', 'token'],
  ['cookie', 'cookie'],
  ['set-cookie', 'sets a cookie'],
  ['client_assertion', 'assertion'],
  ['request_uri', 'request_uri'],
  ['code_verifier', 'verifier'],
  ['code_challenge', 'challenge'],
  ['access_token', 'tokens'],
]

export function showDiagram({ messages, lanes: heads }, { kind, exchanges }, selected, onSelect) {
  const parties = kind === 'attack' ? ['attacker', ...lanes.slice(1)] : lanes
  heads.replaceChildren(...parties.map((party) => element('li', names[party], { className: `lane ${party}` })))
  const rows = ordered([...exchanges.values()])
  const focused = document.activeElement?.dataset.message
  messages.replaceChildren(
    ...rows.map(({ exchange, part }, index) => {
      const button = message(exchange, part, index + 1)
      button.dataset.message = `${exchange.id}-${part}`
      const isSelected = selected?.exchange === exchange.id && selected.part === part
      button.setAttribute('aria-pressed', String(isSelected))
      button.addEventListener('click', () => onSelect({ exchange: exchange.id, part }))
      return element('li', button)
    }),
  )
  if (focused !== undefined) messages.querySelector(`[data-message="${focused}"]`)?.focus({ preventScroll: true })
}

/** In time: what a request brings about is between it and its answer. */
function ordered(exchanges) {
  return exchanges
    .flatMap((exchange) => [
      { exchange, part: 'request', at: exchange.at, order: exchange.id },
      ...(exchange.answer
        ? [{ exchange, part: 'answer', at: exchange.at + exchange.answer.milliseconds, order: 1e9 - exchange.id }]
        : []),
    ])
    .sort((left, right) => left.at - right.at || left.order - right.order)
}

function message(exchange, part, number) {
  const isRequest = part === 'request'
  const [from, to] = isRequest ? [exchange.from, exchange.to] : [exchange.to, exchange.from]
  const { method, path, parameters } = exchange.request
  const { status, holds, parameters: answered = [] } = exchange.answer ?? {}
  const has = new Set((isRequest ? parameters : answered).map(({ name }) => name))
  const chips = worthMarking.filter(([name]) => has.has(name)).map(([, text]) => text)
  if ((isRequest ? parameters : answered).some(({ name, where }) => name === 'code' && where !== 'json'))
    chips.push('code')
  const text = isRequest ? `${method} ${path}` : `${status ?? 'broke off'}${holds ? ` · ${holds}` : ''}`
  const button = element('button', [
    element(
      'span',
      [
        element('span', String(number), { className: 'number' }),
        element('span', `${names[from]} to ${names[to]}: `, { className: 'hidden' }),
        element('span', text, { className: 'text' }),
        exchange.isStrike && isRequest && element('span', 'the attack', { className: 'chip strike' }),
        exchange.refusal && !isRequest && element('span', exchange.refusal.code, { className: 'chip strike' }),
        ...chips.map((chip) => element('span', chip, { className: 'chip' })),
      ].filter(Boolean),
      { className: 'label' },
    ),
    element('span', '', { className: 'arrow' }),
  ])
  button.type = 'button'
  button.className = 'message'
  button.dataset.from = String(laneOf(from))
  button.dataset.to = String(laneOf(to))
  button.dataset.towards = laneOf(from) < laneOf(to) ? 'right' : 'left'
  button.dataset.part = part
  if (!isRequest && (status ?? 500) >= 400) button.dataset.tone = 'bad'
  if (exchange.isStrike && isRequest) button.dataset.tone = 'strike'
  return button
}
