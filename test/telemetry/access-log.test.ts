import test from 'ava'
import { createAccessLog, type ForwardedCall } from '../../src/telemetry/access-log.js'
import { startStack } from '../flows/_stack.js'
import { createUserAgent } from '../flows/_user-agent.js'

interface Line {
  readonly level: string
  readonly msg: string
  readonly requestId: string
  readonly session: string
  readonly upstreamSeconds: number
  readonly seconds: number
  readonly bytes: number
}

async function linesOfCalls(output: string): Promise<readonly Line[]> {
  const lines = output.split('\n').filter((line) => line.includes('"gateway.request.forwarded"'))
  return lines.map((line) => JSON.parse(line) as Line)
}

test('each forwarded call is one line that says what, whose, how long and how much, and no query', async (t) => {
  const stack = await startStack()
  const browser = createUserAgent()
  const signIn = await browser.navigate(new URL('/bff/login', stack.gateway))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  const answer = await browser.call(new URL('/api/orders?card=4111111111111111', stack.gateway))
  t.is(answer.status, 200)
  const { sessions } = (await (await browser.call(new URL('/bff/sessions', stack.gateway))).json()) as {
    readonly sessions: readonly { readonly handle: string }[]
  }
  await stack.stop()
  const [line, ...others] = await linesOfCalls(stack.output())
  t.deepEqual(others, [])
  t.like(line, {
    level: 'info',
    frontend: 'app',
    route: '/api',
    method: 'GET',
    path: '/api/orders',
    status: 200,
    attempts: 1,
    session: sessions[0]?.handle,
  })
  const { seconds = 0, upstreamSeconds = 0, bytes = 0, requestId } = line ?? {}
  t.true(upstreamSeconds > 0 && upstreamSeconds <= seconds && bytes > (await answer.text()).length)
  t.regex(requestId ?? '', /^[0-9a-f-]{36}$/)
  t.false(stack.output().includes('4111111111111111'))
})

test('Server.AccessLog: false leaves them out', async (t) => {
  const stack = await startStack({
    configure(configuration) {
      configuration.Server.AccessLog = false
      configuration.Bff.Frontends[0].Routes[0].TokenType = 'None'
    },
  })
  await createUserAgent().call(new URL('/api/orders', stack.gateway))
  await stack.stop()
  t.deepEqual(await linesOfCalls(stack.output()), [])
})

const aCall = (more: Partial<ForwardedCall>): ForwardedCall => ({
  type: 'gateway.request.forwarded',
  frontend: 'app',
  requestId: 'r',
  route: '/api',
  method: 'GET',
  path: '/api/orders',
  status: 200,
  code: undefined,
  session: undefined,
  bytes: 1,
  seconds: 0.1,
  ownSeconds: 0.1,
  upstreamSeconds: 0,
  attempts: 1,
  ...more,
})

test('a line has each member of the call, whatever its texts and numbers are', (t) => {
  const written: string[] = []
  const { add, flush } = createAccessLog({ begin: () => '"level":"info"', write: (lines) => void written.push(lines) })
  const texts = [
    '',
    'a b',
    '"',
    '\\',
    '\n',
    '\u0000\u001f',
    '\u007f',
    'é',
    '\u2028',
    '😀',
    '\ud800',
    '</script>',
    '{"a":1}',
  ]
  const numbers = [0, 1, 200, 1e-7, 0.000001, 12.345678, 1e21, 2 ** 53, Number.NaN]
  const calls = [
    ...texts.map((text) =>
      aCall({ frontend: text, requestId: text, route: text, method: text, path: text, code: text, session: text }),
    ),
    ...numbers.map((n) => aCall({ bytes: n, seconds: n, ownSeconds: n, upstreamSeconds: n })),
  ]
  for (const call of calls) add(call, undefined)
  flush()
  const lines = written.join('').trimEnd().split('\n')
  t.is(lines.length, calls.length)
  for (const [index, { type, ...members }] of calls.entries())
    t.is(lines[index], `{"level":"info",${JSON.stringify(members).slice(1, -1)},"msg":"${type}"}`)
})

test('the lines of some milliseconds are written together, as many as a pipe takes in one piece', (t) => {
  const written: (readonly [lines: string, count: number])[] = []
  const { add, flush } = createAccessLog({
    begin: () => '"level":"info"',
    write: (lines, count) => void written.push([lines, count]),
  })
  const paths = [...Array.from({ length: 30 }, (_, index) => `/api/${index}`), `/api/${'x'.repeat(5000)}`, '/api/last']
  for (const path of paths) add(aCall({ path }), path === '/api/last' ? 'of-the-trace' : undefined)
  flush()
  const lines = written.flatMap(([text]) => text.trimEnd().split('\n')).map((line) => JSON.parse(line) as object)
  t.deepEqual(
    lines.map((line) => 'path' in line && line.path),
    paths,
  )
  t.like(lines.at(-1), { level: 'info', trace: 'of-the-trace', msg: 'gateway.request.forwarded' })
  t.true(written.every(([text, count]) => text.endsWith('\n') && text.split('\n').length === count + 1))
  t.true(written.length < 8, `${written.length} times`)
  t.deepEqual(
    written.filter(([text]) => text.length > 4096).map(([, count]) => count),
    [1],
  )
})
