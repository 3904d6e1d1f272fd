import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { eventually } from '../_eventually.js'
import { aFile } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'

/** The program itself, with its log where the test says. */
async function aProgram(t: ExecutionContext, stdout: 'pipe' | number) {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const file = await aFile(t, {
    Server: { Listen: `127.0.0.1:${port}`, AdminListen: `127.0.0.1:${adminPort}` },
    Bff: {
      Authority: 'https://auth.example.com',
      Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: generateSigningJwk('ES256'), Hosts: [] }],
    },
  })
  const child: ChildProcess = spawn(process.execPath, [resolve('dist/main.js'), 'start', '--config', file], {
    stdio: ['ignore', stdout, 'inherit'],
  })
  t.teardown(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const admin = `http://127.0.0.1:${adminPort}`
  await eventually(async () => (await fetch(`${admin}/readyz`).catch(() => undefined))?.status === 200)
  return {
    child,
    /** Is refused, and so makes a line. */
    refused: async () => (await fetch(`http://127.0.0.1:${port}/bff/nothing`)).status,
    lost: async (cause: string) => {
      const text = await (await fetch(`${admin}/metrics`)).text()
      return Number(new RegExp(`sallyport_log_lines_lost_total\\{cause="${cause}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
    },
  }
}

test('when the reader of the log goes away the program goes on, and counts what is lost', async (t) => {
  const { child, refused, lost } = await aProgram(t, 'pipe')
  child.stdout?.destroy()
  for (let count = 0; count < 5; count++) t.is(await refused(), 404)
  await eventually(async () => (await lost('EPIPE')) >= 5)
  const stopped = once(child, 'exit')
  child.kill('SIGINT')
  t.deepEqual(await stopped, [0, null])
})

test('a reader of the log that does not read holds nobody up', async (t) => {
  const { child, refused, lost } = await aProgram(t, 'pipe')
  child.stdout?.pause()
  // More than a pipe takes.
  for (let count = 0; count < 30; count++)
    for (const status of await Promise.all(Array.from({ length: 50 }, refused))) t.is(status, 404)
  t.is(await lost('EAGAIN'), 0, 'there is room for so many')
  t.is(child.exitCode, null)
})

if (existsSync('/dev/full'))
  test('when the disk of the log is full the program goes on, and counts what is lost', async (t) => {
    const full = await open('/dev/full', 'w')
    t.teardown(() => full.close())
    const { child, refused, lost } = await aProgram(t, full.fd)
    t.is(await refused(), 404)
    await eventually(async () => (await lost('ENOSPC')) >= 1)
    t.is(child.exitCode, null)
  })
