import { writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AdminCommandOptions } from '../../src/cli/administration/admin-command.js'
import { endSessions, listSessions } from '../../src/cli/administration/sessions.js'
import { listUpstreams } from '../../src/cli/administration/upstreams.js'
import { aFolder } from '../config/_workspace.js'

/** What the command says of whatever answers at `AdminListen`. */
async function saidOf(
  t: ExecutionContext,
  answer: RequestListener | undefined,
  command: (options: AdminCommandOptions) => Promise<unknown> = listUpstreams,
): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  if (answer === undefined) server.close()
  else t.teardown(() => server.close())
  const file = join(await aFolder(t), 'frontends.json')
  await writeFile(
    file,
    JSON.stringify({
      Server: { AdminListen: `127.0.0.1:${port}`, AdminToken: 'a-token-of-at-least-thirty-two-characters' },
      Bff: { PublicUrl: 'http://localhost:3000', Frontends: [{ Name: 'app' }] },
      OpenIddict: { Issuer: 'http://localhost:3001', Listen: '127.0.0.1:3001', EnableFapi2Profile: true },
    }),
  )
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  try {
    await command({ file, format: 'text', environment: {}, output })
    return written.join('')
  } catch (error) {
    return (error as Error).message.replaceAll(String(port), 'PORT')
  }
}

test('an admin command says what is wrong with what it asks', async (t) => {
  t.is(
    await saidOf(t, undefined),
    'Nothing answers at http://127.0.0.1:PORT: is Sallyport running with this file, on this machine?',
  )
  const elsewhere =
    'What answers at http://127.0.0.1:PORT is no admin API of Sallyport: does another program have that port?'
  t.is(await saidOf(t, (_, response) => void response.end('<!doctype html>')), elsewhere)
  t.is(await saidOf(t, (_, response) => void response.writeHead(404).end('<h1>Not found</h1>')), elsewhere)
  t.is(await saidOf(t, (_, response) => void response.writeHead(404).end()), elsewhere)
  t.is(await saidOf(t, (_, response) => void response.end('{"upstreams":[]}')), 'No route has an upstream.\n')
})

test('sessions list says that no user is signed in, or that no session fits the filter', async (t) => {
  const none: RequestListener = (_, response) => void response.end('{"sessions":[]}')
  const sessions = (filter: object) => saidOf(t, none, (options) => listSessions({ ...options, filter }))
  t.is(await sessions({}), 'No user is signed in.\n')
  t.is(await sessions({ sub: 'alice' }), 'There is no such session.\n')
})

test('a handle beside --all ends no session: it is asked which of the two is meant', async (t) => {
  const called: string[] = []
  const recording: RequestListener = ({ method = '' }, response) => {
    called.push(method)
    response.end('{"ended":1}')
  }
  const said = await saidOf(t, recording, (options) =>
    endSessions({ ...options, filter: {}, handle: 'a-handle', all: true }),
  )
  t.is(said, 'A handle names one session, --all every one: leave one of them out.')
  t.deepEqual(called, [])
})
