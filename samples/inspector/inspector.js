/* The flows as they happen. What they look like is in diagram.js and details.js, what can be tried in attacks.js. */
import { showAttacks } from './attacks.js'
import { showDetails } from './details.js'
import { showDiagram } from './diagram.js'
import { element } from './element.js'

const $ = (id) => document.getElementById(id)
const reference = await (await fetch('/lessons')).json()
if (reference.places.gateway) $('sample').href = reference.places.gateway

// It scrolls by itself beside a long diagram: then the keyboard has to reach it.
$('details').tabIndex = 0

/** By id: a flow, and in it its exchanges by id. */
const flows = new Map()
/** As many as the server keeps. */
const maxFlows = 100
let shown
let selected
let isCaughtUp = false

function take({ flow, exchange }) {
  const known = flows.get(flow.id) ?? { ...flow, exchanges: new Map() }
  const isNew = !flows.has(flow.id)
  known.exchanges.set(exchange.id, exchange)
  flows.set(flow.id, known)
  if (flows.size > maxFlows) flows.delete(Math.min(...flows.keys()))
  if (isNew && $('follow').checked && isListed(known)) select(flow.id)
  if (isCaughtUp) draw(flow.id)
}

function isListed({ kind }) {
  return !$('quiet').checked || kind !== 'other'
}

function draw(changed) {
  const listed = [...flows.values()].filter(isListed).sort((left, right) => right.id - left.id)
  $('none').hidden = listed.length > 0
  const focused = document.activeElement?.dataset.flow
  $('flows').replaceChildren(...listed.map(row))
  if (focused !== undefined) $('flows').querySelector(`[data-flow="${focused}"]`)?.focus()
  if (changed === undefined || changed === shown) drawFlow()
}

function row(flow) {
  const exchanges = [...flow.exchanges.values()]
  const struck = exchanges.findLast(({ isStrike }) => isStrike)
  const last = struck ?? exchanges[0]
  const status = last?.answer?.status
  const button = element('button', [
    element('span', flow.title, { className: 'flow-name' }),
    element(
      'span',
      `${flow.kind} · ${new Date(flow.at).toLocaleTimeString([], { hour12: false })} · ${exchanges.length === 1 ? 'one message' : `${exchanges.length} messages`}`,
      {
        className: 'flow-facts',
      },
    ),
    element('span', status === undefined ? '…' : String(status), { className: `badge ${tone(status)}` }),
  ])
  button.type = 'button'
  button.className = 'flow'
  button.dataset.flow = flow.id
  button.dataset.kind = flow.kind
  if (flow.id === shown) button.setAttribute('aria-current', 'true')
  button.addEventListener('click', () => {
    $('follow').checked = false
    select(flow.id)
    draw()
  })
  return element('li', button)
}

function tone(status) {
  return status >= 400 ? 'bad' : 'good'
}

function select(id) {
  if (shown === id) return
  shown = id
  selected = undefined
}

function drawFlow() {
  const flow = flows.get(shown)
  if (flow === undefined) return
  $('diagram-title').textContent = flow.title
  const exchanges = [...flow.exchanges.values()]
  const struck = exchanges.findLast(({ isStrike }) => isStrike)
  // Until the user has pressed an arrow: what an attack is about.
  const looked = selected ?? (struck && { exchange: struck.id, part: struck.answer ? 'answer' : 'request' })
  showDiagram({ messages: $('messages'), lanes: $('lanes') }, flow, looked, (choice) => {
    selected = choice
    $('follow').checked = false
    drawFlow()
    // Beside the diagram where there is room, below it where there is none.
    if (matchMedia('(max-width: 70rem)').matches) $('details').scrollIntoView({ block: 'start' })
  })
  const exchange = flow.exchanges.get(looked?.exchange)
  showDetails({ title: $('details-title'), body: $('details-body') }, exchange, looked?.part, reference)
}

function open(id, exchange) {
  $('follow').checked = false
  select(id)
  if (exchange !== undefined) selected = { exchange, part: 'answer' }
  draw()
  $('diagram').scrollIntoView({ block: 'start' })
  $('diagram').focus({ preventScroll: true })
}

showAttacks({ list: $('attacks'), all: $('all'), allResult: $('all-result') }, reference.attacks, open)
for (const id of ['quiet', 'follow']) $(id).addEventListener('change', () => draw())

const events = new EventSource('/events')
events.addEventListener('open', () => {
  // The server may be another one: what it has is told again.
  flows.clear()
  isCaughtUp = false
  $('live').textContent = 'Live'
  $('live').dataset.state = 'live'
})
events.addEventListener('message', ({ data }) => take(JSON.parse(data)))
events.addEventListener('caught-up', () => {
  isCaughtUp = true
  draw()
})
events.addEventListener('error', () => {
  $('live').textContent = 'Not connected: is the demo running?'
  $('live').dataset.state = 'lost'
})
