import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../_eventually.js'
import { run } from '../deploy/_manifests.js'
import { type Configuration, type Stack, type StackProcess, startStack } from '../flows/_stack.js'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import { faketime } from './_faketime.js'

/* What the machine around a process may do to it: docs/reliability.md says what users and operators see. */

const isLinux = process.platform === 'linux'
const onLinux = isLinux ? test.serial : test.skip

/** Has files of its own in place of the system's: only root may make such a place. */
const hasMounts = await run('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).then(
  () => true,
  () => false,
)
const withMounts = hasMounts ? test.serial : test.skip

const withFaketime = faketime === undefined ? test.skip : test.serial

async function signedIn({ gateway }: Stack): Promise<UserAgent> {
  const browser = createUserAgent()
  const form = await browser.navigate(new URL('/bff/login', gateway))
  await browser.submit(await browser.submit(form, { username: 'alice', password: 'wonderland' }), {})
  return browser
}

const openDescriptors = async ({ pid }: StackProcess): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length

onLinux(
  'without file descriptors new connections end, nothing else does, and all is well once there are some again',
  async (t) => {
    const stack = await startStack()
    t.teardown(stack.stop)
    const browser = await signedIn(stack)
    const orders = new URL('/api/orders', stack.gateway)
    t.is((await browser.call(orders)).status, 200)
    await run('prlimit', [`--pid=${stack.pid}`, '--nofile=100'])

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    const cookie = [...browser.cookies(stack.gateway)].map(([name, value]) => `${name}=${value}`).join('; ')
    const onKept = async (path: string): Promise<number | undefined> => {
      const headers = { Cookie: cookie, 'X-CSRF': '1', Accept: 'text/html' }
      const sent = request(new URL(path, stack.gateway), { agent, headers }).end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      return response.statusCode
    }
    t.is(await onKept('/bff/user'), 200)
    const sockets: Socket[] = []
    t.teardown(() => sockets.forEach((socket) => void socket.destroy()))
    let refused = 0
    while (refused < 5) {
      const socket = connect(Number(stack.gateway.port), '127.0.0.1').on('error', () => undefined)
      sockets.push(socket)
      socket.on('close', () => refused++)
      await once(socket, 'connect').catch(() => undefined)
      if (sockets.length > 400) return t.fail('no connection was refused')
    }
    t.true((await openDescriptors(stack)) >= 99)
    t.is(await onKept('/sample.css'), 503)
    t.is(await onKept('/api/orders'), 200)
    t.is(await onKept('/bff/user'), 200)
    for (const socket of sockets) socket.destroy()
    await eventually(async () => (await browser.call(orders).catch(() => undefined))?.status === 200)
    t.is((await browser.navigate(new URL('/', stack.gateway))).status, 200)
    await eventually(() => /"code":"bff\.asset\.unreadable","status":503,"reason":"EMFILE"/.test(stack.output()))
    t.notRegex(stack.output(), /"level":"error"/)
  },
)

withFaketime('a clock that is set forward and back by an hour logs no user out', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-clock-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const offset = join(folder, 'offset')
  await writeFile(offset, '+0s')
  const stack = await startStack({
    within: [
      'env',
      `LD_PRELOAD=${faketime}`,
      `FAKETIME_TIMESTAMP_FILE=${offset}`,
      'FAKETIME_NO_CACHE=1',
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ],
  })
  t.teardown(stack.stop)
  const browser = await signedIn(stack)
  const orders = new URL('/api/orders', stack.gateway)
  t.is((await browser.call(orders)).status, 200)
  for (const step of ['+3600s', '+0s', '-3600s', '+0s']) {
    await writeFile(offset, step)
    t.is((await browser.call(orders)).status, 200, `${step}\n${stack.output()}`)
  }
  t.notRegex(stack.output(), /"level":"error"/)
})

withMounts(
  'a name that stops to resolve is an outage of that API alone; a name that is answered anew is found again',
  async (t) => {
    const port = await anApi(t)
    const { stack, setHosts } = await withNames(t, (configuration) => {
      configuration.Bff.Frontends[0].Routes = [
        { Path: '/named', Upstreams: [`http://orders.test:${port}`], TokenType: 'None' },
        { Path: '/other', Upstreams: [`http://127.0.0.1:${port}`], TokenType: 'None' },
      ]
    })
    const browser = createUserAgent()
    const call = async (path: string) => (await browser.call(new URL(path, stack.gateway))).status
    await setHosts('127.0.0.1 orders.test\n')
    t.is(await call('/named'), 200)
    await setHosts('')
    t.is(await call('/named'), 502)
    t.is(await call('/other'), 200)
    await eventually(() => stack.output().includes('"msg":"gateway.upstream.failing"'))
    const line = stack
      .output()
      .split('\n')
      .find((text) => text.includes('gateway.upstream.failing'))
    t.like(JSON.parse(line ?? '{}'), { level: 'warn', upstream: `http://orders.test:${port}`, route: '/named' })
    t.regex(JSON.parse(line ?? '{}').cause, /^(?:EAI_AGAIN|ENOTFOUND)$/)
    await setHosts('127.0.0.1 orders.test\n')
    await eventually(async () => (await call('/named')) === 200)
    await eventually(() => stack.output().includes('"msg":"gateway.upstream.back"'))
  },
)

withMounts('a name server that is silent about one API does not keep another name from being looked up', async (t) => {
  const nameServer = createSocket('udp4')
  nameServer.bind(53, '127.0.0.77')
  await once(nameServer, 'listening')
  t.teardown(() => nameServer.close())
  const api = await anApi(t)
  const configure = (configuration: Configuration): void => {
    configuration.Bff.Frontends[0].Routes = [
      { Path: '/silent', Upstreams: ['http://orders.test:80'], TokenType: 'None' },
      { Path: '/known', Upstreams: [`http://known.test:${api}`], TokenType: 'None' },
    ]
  }
  const { stack, setHosts } = await withNames(t, configure, '127.0.0.77')
  await setHosts('127.0.0.1 known.test\n')
  const call = (path: string) => createUserAgent().call(new URL(path, stack.gateway))
  let isHeld = true
  const held = Array.from({ length: 20 }, () => call('/silent').then(() => (isHeld = false)))
  await once(nameServer, 'message')
  t.is((await call('/known')).status, 200)
  t.true(isHeld)
  await Promise.all(held)
})

withMounts(
  'a disk that fills up under the file store: who is there stays, new sign-ins are 503 until there is room',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-disk-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const small = `mount -t tmpfs -o size=2m none ${folder} && exec "$@"`
    const stack = await startStack({
      within: ['unshare', '--mount', 'sh', '-c', small, 'sh'],
      environment: { Server__StateDirectory: folder },
    })
    t.teardown(stack.stop)
    const browser = await signedIn(stack)
    const orders = new URL('/api/orders', stack.gateway)

    const filling = join(`/proc/${stack.pid}/root`, folder, 'filling')
    await t.throwsAsync(writeFile(filling, Buffer.alloc(4_194_304)), { code: 'ENOSPC' })
    // A database reuses what has become free in it before it grows.
    const login = async () => (await createUserAgent().navigate(new URL('/bff/login', stack.gateway))).status
    await eventually(async () => (await login()) === 503)
    t.is((await browser.call(orders)).status, 200)
    await eventually(() => /"cause":"(?:ENOSPC|EIO)".*"msg":"server\.store\.failing"/.test(stack.output()))
    t.notRegex(stack.output(), /"level":"error"/)

    await rm(filling)
    await eventually(async () => (await login()) === 200)
    t.is((await browser.call(orders)).status, 200)
  },
)

withMounts('a disk that is full at the start is said, with the folder and what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-disk-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const full = `mount -t tmpfs -o size=4k none ${folder} && { head -c 4096 /dev/zero > ${folder}/filling; exec "$@"; }`
  const error = await t.throwsAsync(
    startStack({
      within: ['unshare', '--mount', 'sh', '-c', full, 'sh'],
      environment: { Server__StateDirectory: folder },
    }),
  )
  t.regex(error?.message ?? '', /\/Server\/StateDirectory/)
  t.regex(error?.message ?? '', /cannot be written to/)
  t.notRegex(error?.message ?? '', /fault of Sallyport|\.js:\d/)
})

/** Its port. It keeps no connection, so that each call looks its name up. */
async function anApi(t: ExecutionContext): Promise<number> {
  const api = createServer((_request, response) => response.setHeader('Connection', 'close').end('there'))
  api.listen(0, '127.0.0.1')
  t.teardown(() => api.close())
  await once(api, 'listening')
  return (api.address() as AddressInfo).port
}

/** A program whose `/etc/hosts` is ours, and its name server one that is not there or does not answer. */
async function withNames(
  t: ExecutionContext,
  configure: (configuration: Configuration) => void,
  nameServer = '127.0.0.1',
) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-names-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const [hosts, resolver] = [join(folder, 'hosts'), join(folder, 'resolv.conf')]
  const setHosts = (names: string): Promise<void> => writeFile(hosts, `127.0.0.1 localhost\n${names}`)
  await setHosts('')
  await writeFile(resolver, `nameserver ${nameServer}\noptions timeout:4 attempts:1\n`)
  const mounts = `mount --bind ${hosts} /etc/hosts && mount --bind ${resolver} /etc/resolv.conf && exec "$@"`
  const stack = await startStack({ configure, within: ['unshare', '--mount', 'sh', '-c', mounts, 'sh'] })
  t.teardown(stack.stop)
  return { stack, setHosts }
}
