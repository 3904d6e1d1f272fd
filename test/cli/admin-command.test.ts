import { writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listUpstreams } from '../../src/cli/administration/upstreams.js'
import { aFolder } from '../config/_workspace.js'

/** What the command says of whatever answers at `AdminListen`. */
async function saidOf(t: ExecutionContext, answer: RequestListener | undefined): Promise<string> {
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
    await listUpstreams({ file, format: 'text', environment: {}, output })
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
