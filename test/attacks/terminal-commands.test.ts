import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { listRefusals } from '../../src/cli/administration/refusals.js'
import { listSessions } from '../../src/cli/administration/sessions.js'
import { publish } from '../../src/telemetry/events.js'
import { anAdministeredGateway, token } from '../server/administration/_administered.js'

/** A control sequence in one character, as it comes in a `User-Agent`, and one that turns the writing around. */
const hostile = 'x\u009b31m\u009d0;title\u007f\u202ey'
const command = /(?!\n)\p{Cc}|\u202e/u

test('a browser that calls itself a command to a terminal gives the administrator’s terminal no command', async (t) => {
  const { url, ask, plant, sessionsOf } = await anAdministeredGateway(t)
  const { id } = await plant('app', { subject: `alice${hostile}` })
  const session = await sessionsOf('app').open(id)
  if (session !== undefined)
    await sessionsOf('app').keepAlive(id, session, () => ({ address: '192.0.2.x', userAgent: hostile }))
  publish({
    type: 'gateway.request.refused',
    requestId: 'r-1',
    code: 'bff.login.refused_by_server',
    status: 400,
    serverDescription: hostile,
  })

  for (const path of ['/admin/sessions', '/admin/refusals']) {
    const text = await (await ask('GET', path)).text()
    t.notRegex(text, command, path)
    t.true(JSON.stringify(JSON.parse(text)).includes(hostile), text)
  }

  const folder = await mkdtemp(join(tmpdir(), 'sallyport-terminal-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'frontends.json')
  await writeFile(file, JSON.stringify(settings(url)))
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  for (const format of ['text', 'json'] as const) {
    t.is(await listSessions({ file, filter: {}, format, environment: {}, output }), 1)
    await listRefusals({ file, format, environment: {}, output })
  }
  t.is(written.length, 4)
  for (const text of written) {
    t.regex(text, /31m/)
    t.notRegex(text, command)
  }
})

function settings(url: string): object {
  return {
    Server: { Listen: '127.0.0.1:3000', AdminListen: new URL(url).host, AdminToken: token },
    Bff: { PublicUrl: 'http://localhost:3000', Frontends: [{ Name: 'app' }] },
    OpenIddict: { Issuer: 'http://localhost:3001', Listen: '127.0.0.1:3001', EnableFapi2Profile: true },
  }
}
