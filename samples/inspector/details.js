import { nameOf } from './diagram.js'
import { element, outward } from './element.js'

const errors = 'https://github.com/sallyport/sallyport/blob/main/docs/errors.md'

/** What a message carries, and why. */
export function showDetails({ title, body }, exchange, part, { lessons, answerLessons }) {
  if (exchange === undefined) {
    title.textContent = 'A message'
    body.replaceChildren(element('p', 'Press an arrow.', { className: 'soft' }))
    return
  }
  const lesson = lessons[exchange.kind]
  const { request, answer, refusal } = exchange
  if (part === 'request' || answer === undefined) {
    title.textContent = lesson.title
    body.replaceChildren(
      ...parts([
        route(exchange.from, exchange.to, `${request.method} ${request.path}`),
        element('p', lesson.says),
        requirements('Which requirements it fulfils', lesson.requirements),
        carried(request.parameters),
        request.proof && proof(request.proof),
        request.token && facts('What the access token says', request.token),
      ]),
    )
    return
  }
  title.textContent = `The answer: ${answer.status ?? 'none'}`
  body.replaceChildren(
    ...parts([
      route(exchange.to, exchange.from, `${request.method} ${request.path}, after ${answer.milliseconds} ms`),
      refusal && refused(refusal),
      answer.holds && requirements('Which requirements it fulfils', answerLessons[answer.holds]),
      carried(answer.parameters),
      refusal && request.proof && proof(request.proof),
      refusal && request.token && facts('What the access token says', request.token),
    ]),
  )
}

const parts = (nodes) => nodes.filter(Boolean)

function route(from, to, what) {
  return element('p', [element('b', `${nameOf(from)} → ${nameOf(to)}`), element('br'), element('code', what)])
}

function refused({ code, reason, check }) {
  const known = code.startsWith('bff.')
  return element(
    'div',
    [
      element('h3', 'Refused'),
      element('p', [known ? outward(code, `${errors}#${code}`) : element('code', code), reason ? `: ${reason}` : '']),
      ...(check ? [element('p', ['Broken rule: ', element('code', check)], { className: 'soft' })] : []),
    ],
    { className: 'refused' },
  )
}

function requirements(heading, list) {
  if (list.length === 0) return undefined
  return element('div', [
    element('h3', heading),
    element(
      'ul',
      list.map(({ text, source, href }) => element('li', [text, ' ', outward(source, href)])),
      {
        className: 'requirements',
      },
    ),
  ])
}

const places = {
  query: 'in the address',
  header: 'header',
  form: 'in the body',
  json: 'in the body',
  location: 'in the address it leads to',
}

function carried(parameters) {
  if (parameters.length === 0) return undefined
  return element('div', [
    element('h3', 'What it carries'),
    element(
      'dl',
      parameters.flatMap(({ where, name, value }) => [
        element('dt', [name, element('span', places[where], { className: 'place' })]),
        element('dd', value),
      ]),
    ),
  ])
}

function facts(heading, members) {
  return element('div', [
    element('h3', heading),
    element(
      'dl',
      Object.entries(members).flatMap(([name, value]) => [
        element('dt', name),
        element('dd', typeof value === 'string' ? value : JSON.stringify(value)),
      ]),
    ),
  ])
}

function proof({ header, claims, jkt, checks }) {
  return element('div', [
    facts('The DPoP proof: header', header),
    facts('The DPoP proof: claims', claims),
    element('p', ['Thumbprint of its key: ', element('code', jkt ?? 'none')]),
    element('h3', 'What a verifier checks in it'),
    element(
      'ul',
      checks.map(({ check, what, holds, expected, got }) =>
        element('li', [
          element('span', holds ? '✓' : '✗', { className: holds ? 'good' : 'bad', ariaHidden: 'true' }),
          element('span', [
            element('span', holds ? 'holds: ' : 'does not hold: ', { className: 'hidden' }),
            `${what} `,
            element('span', check, { className: 'soft' }),
            ...(holds ? [] : [element('span', `expected ${expected}, got ${got}`, { className: 'bad block' })]),
          ]),
        ]),
      ),
      { className: 'checks' },
    ),
    element('p', 'And, since only its memory knows: that it has not seen this jti before (RFC 9449 §11.1).', {
      className: 'soft',
    }),
  ])
}
