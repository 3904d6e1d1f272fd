import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { readFormBody } from '../../src/http/form-body.js'

type Reading = { readonly parameters?: ReadonlyMap<string, string>; readonly error?: unknown }

/** Posts a body to a real server and tells what was read from it. */
async function posted(
  t: ExecutionContext,
  body: string | Buffer,
  headers: Record<string, string>,
  limit?: number,
): Promise<Reading> {
  let reading: Reading = {}
  const read = async (request: IncomingMessage): Promise<void> => {
    try {
      reading = { parameters: await readFormBody(request, limit === undefined ? {} : { limit }) }
    } catch (error) {
      reading = { error }
    }
  }
  const server = createServer((request, response) => void read(request).then(() => response.end())).listen(
    0,
    '127.0.0.1',
  )
  t.teardown(() => server.close())
  await once(server, 'listening')
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method: 'POST', body, headers })
  return reading
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }

test('reads parameters, with or without a charset', async (t) => {
  for (const type of ['application/x-www-form-urlencoded', 'Application/X-WWW-Form-URLencoded; charset=UTF-8']) {
    const { parameters } = await posted(t, 'a=1&b=%C3%BC+%26', { 'content-type': type })
    t.deepEqual(
      [...(parameters ?? [])],
      [
        ['a', '1'],
        ['b', 'ü &'],
      ],
    )
  }
})

test('takes a parameter without a value for absent (RFC 6749 §3.1)', async (t) => {
  const { parameters } = await posted(t, 'a=&b=1', form)
  t.deepEqual([...(parameters ?? [])], [['b', '1']])
})

test('refuses a repeated parameter (RFC 6749 §3.1), also an empty one', async (t) => {
  for (const body of ['a=1&a=2', 'a=1&a=1', 'a=&a=1', 'a=1&%61=2']) {
    t.like((await posted(t, body, form)).error, { code: 'invalid_request', message: 'a parameter is repeated' })
  }
})

test('refuses another media type', async (t) => {
  t.like((await posted(t, '{"a":1}', { 'content-type': 'application/json' })).error, { code: 'invalid_request' })
})

test('refuses a body over the limit, and takes one of exactly the limit', async (t) => {
  t.like((await posted(t, `a=${'x'.repeat(99)}`, form, 100)).error, { message: 'the body is too large' })
  t.is((await posted(t, `a=${'x'.repeat(98)}`, form, 100)).parameters?.get('a')?.length, 98)
})

test('does not wait for the other half of a body', async (t) => {
  const errors: unknown[] = []
  const server = createServer((request, response) => {
    readFormBody(request, { patience: 0.05 }).catch((error: unknown) => {
      errors.push(error)
      response.writeHead(400).end()
    })
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na=1',
  )
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.regex(answer.toString(), /^HTTP\/1\.1 400 /)
  t.like(errors, [{ message: 'the body takes too long' }])
  // Nor for it to end by itself.
  await once(socket, 'close')
})
