import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { connect } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { eventually } from '../_eventually.js'
import { aFolder } from '../config/_workspace.js'
import { freePorts, type Stack, type StackOptions, startStack } from '../flows/_stack.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { selfSigned } from '../http/_self-signed.js'

// biome-ignore lint/suspicious/noExplicitAny: a configuration file is whatever its writer put there.
type File = any

interface Readiness {
  readonly status: string
  readonly configuration: {
    readonly generation: number
    readonly needsRestart?: readonly string[]
    readonly refused?: { readonly problems: readonly string[] }
  }
}

async function started(t: ExecutionContext, options: StackOptions = {}) {
  t.timeout(120_000)
  const stack = await startStack(options)
  t.teardown(stack.stop)
  const file = join(stack.folder, 'frontends.json')
  const readiness = async () => (await (await fetch(new URL('/readyz', stack.admin))).json()) as Readiness
  return {
    ...stack,
    file,
    readiness,
    metrics: async () => (await fetch(new URL('/metrics', stack.admin))).text(),
    async change(change: (file: File) => void) {
      const content = JSON.parse(await readFile(file, 'utf8'))
      change(content)
      await writeFile(file, JSON.stringify(content, null, 2))
    },
    generation: (wanted: number) => eventually(async () => (await readiness()).configuration.generation === wanted),
  }
}

/** A line of the log may come a moment after the answer that tells of the same. */
async function logged({ output }: Pick<Stack, 'output'>, line: RegExp): Promise<void> {
  await eventually(() => line.test(output()))
}

async function signedIn({ gateway }: Stack) {
  const agent = createUserAgent()
  const signIn = await agent.navigate(new URL('/bff/login', gateway))
  const consent = await agent.submit(signIn, { username: 'alice', password: 'wonderland' })
  await agent.submit(consent, {})
  return agent
}

test.serial(
  'a changed file is taken over by itself, a spoiled one changes nothing and is named in three places, and sessions and sockets stay',
  async (t) => {
    const upstream = await webSocketUpstream()
    t.teardown(() => upstream.close())
    const stack = await started(t, {
      configure(file) {
        const { PublicUrl } = file.Bff
        file.Bff.Frontends.push({
          Name: 'sockets',
          PathPrefix: '/sockets',
          ...(PublicUrl && { PublicUrl }),
          Routes: [{ Path: '/api', Upstreams: [upstream.url.origin], TokenType: 'None' }],
        })
      },
    })
    const { gateway, change, generation, readiness, metrics, file, output } = stack
    const agent = await signedIn(stack)
    const socket = new WebSocket(`ws://${gateway.host}/sockets/api/ws`, { headers: { Origin: gateway.origin } })
    await once(socket, 'open')
    const call = (path: string) => agent.call(new URL(path, gateway))
    t.is((await call('/api/orders')).status, 200)

    await change(({ Bff }) => Bff.Frontends.push({ Name: 'late', PathPrefix: '/late', Routes: [] }))
    await generation(2)
    t.is((await call('/late/bff/user')).status, 200)
    t.is((await call('/api/orders')).status, 200, 'the session stays')
    await logged(stack, /"added":\["late"\],"changed":\[\],"removed":\[\],"msg":"server\.configuration\.taken-over"/)

    const good = await readFile(file, 'utf8')
    // Half of it, as an editor writes it, and then a mistake.
    await writeFile(file, good.slice(0, good.length / 2))
    await eventually(async () => (await readiness()).configuration.refused !== undefined)
    await writeFile(file, good.replace('"Name": "late"', '"Nam": "late"'))
    await eventually(async () => (await readiness()).configuration.refused?.problems.join().includes('/Nam ') === true)
    const refused = await readiness()
    t.is(refused.status, 'ready')
    t.is(refused.configuration.generation, 2)
    const told = /frontends\.json:\d+:\d+ \/Bff\/Frontends\/\d+\/Nam is not a known setting\. Did you mean "Name"\?/
    t.regex(refused.configuration.refused?.problems.join('\n') ?? '', told)
    await eventually(() => told.test(output().replaceAll('\\"', '"')))
    await logged(stack, /"level":"warn"[^\n]*server\.configuration\.refused/)
    t.regex(await metrics(), /sallyport_configuration_refused_total [2-9]/)
    t.regex(await metrics(), /sallyport_configuration_generation 2/)
    t.is((await call('/late/bff/user')).status, 200)

    await writeFile(file, good)
    await generation(3)
    t.is((await readiness()).configuration.refused, undefined)
    t.regex(await metrics(), /sallyport_configuration_generation 3/)
    t.regex(await metrics(), /sallyport_configuration_last_success_timestamp_seconds \d{10}/)

    await change(({ Server, Bff }) => {
      Server.Listen = '127.0.0.1:1'
      Server.LogLevel = 'warn'
      Bff.Frontends.pop()
    })
    await generation(4)
    t.regex(
      (await readiness()).configuration.needsRestart?.join() ?? '',
      /^frontends\.json:\d+:\d+ \/Server\/Listen cannot change/,
    )
    await logged(stack, /server\.configuration\.needs-restart/)
    t.is((await call('/late/bff/user')).status, 404)
    t.is((await call('/api/orders')).status, 200)

    socket.send('still here')
    const [echo] = (await once(socket, 'message')) as [Buffer]
    t.is(echo.toString(), 'still here')
    const left = once(socket, 'close')
    await change(
      ({ Bff }) => (Bff.Frontends.find(({ Name }: File) => Name === 'sockets').PostLoginRedirectPath = '/sockets/x'),
    )
    t.is(Number((await left)[0]), 1001, 'a frontend that changed asks its sockets to leave')
    t.is((await call('/api/orders')).status, 200)
  },
)

test.serial(
  'without Watch only SIGHUP takes a file over; SIGUSR1 and SIGUSR2 do nothing; SIGQUIT drains',
  async (t) => {
    const stack = await started(t, { configure: ({ Server }) => (Server.Watch = false) })
    const { change, readiness, pid, gateway, output } = stack
    await change(({ Bff }) => Bff.Frontends.push({ Name: 'late', PathPrefix: '/late', Routes: [] }))
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.kill(pid, signal)
    // Longer than a look takes.
    const since = Date.now()
    await eventually(async () => Date.now() - since > 2500 && (await readiness()).status === 'ready')
    t.is((await readiness()).configuration.generation, 1)
    // Two that come together are one, or two: the file is taken over.
    process.kill(pid, 'SIGHUP')
    process.kill(pid, 'SIGHUP')
    await eventually(async () => (await readiness()).configuration.generation > 1)
    t.is((await fetch(new URL('/late/bff/user', gateway), { headers: { 'X-CSRF': '1' } })).status, 200)
    t.notRegex(output(), /Debugger listening/)
    process.kill(pid, 'SIGQUIT')
    await eventually(async () => output().includes('server.stopped'))
  },
)

test.serial('SIGHUP while the process starts is heard once it has', async (t) => {
  const [listen, admin, issuer] = await freePorts(3)
  const folder = await aFolder(t)
  const file = join(folder, 'frontends.json')
  await writeFile(
    file,
    JSON.stringify({
      Server: { Listen: `127.0.0.1:${listen}`, AdminListen: `127.0.0.1:${admin}` },
      Bff: { Frontends: [{ Name: 'app', Routes: [] }] },
      OpenIddict: { Issuer: `http://localhost:${issuer}` },
    }),
  )
  const child = spawn(process.execPath, [resolve('dist/main.js'), 'start', '--config', file], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  // As soon as its handlers are there: at first the signal would end it, as any program.
  const handled = async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    const caught = BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)?.[1] ?? '0'}`)
    return (caught & 1n) === 1n
  }
  if (process.platform === 'linux') {
    await eventually(handled)
    child.kill('SIGHUP')
  }
  const url = `http://127.0.0.1:${admin}/readyz`
  const generationIs = async () =>
    ((await (await fetch(url).catch(() => undefined))?.json()) as Readiness | undefined)?.configuration.generation
  await eventually(async () => (await generationIs()) === (process.platform === 'linux' ? 2 : 1))
  t.is(child.exitCode, null)
})

test.serial(
  'files that a volume changes by swapping one link are taken over: a folder of frontends, a certificate, all at once',
  async (t) => {
    const [before, after] = await Promise.all([
      selfSigned(['localhost', 'old.example']),
      selfSigned(['localhost', 'new.example']),
    ])
    const volume = await aFolder(t)
    const frontend = (Name: string, PathPrefix = `/${Name}`) =>
      JSON.stringify({ Name, PathPrefix, PublicUrl: 'https://localhost', Hosts: [], Routes: [] })
    const put = async (version: string, names: readonly string[], { cert, key }: typeof before) => {
      await mkdir(join(volume, version))
      for (const name of names) await writeFile(join(volume, version, `${name}.json`), frontend(name))
      await writeFile(join(volume, version, 'tls.crt'), cert)
      await writeFile(join(volume, version, 'tls.key'), key)
    }
    // As Kubernetes mounts a ConfigMap: ..data points at a version, and each name into ..data.
    await put('..v1', ['orders', 'invoices'], before)
    await symlink('..v1', join(volume, '..data'))
    for (const name of ['orders.json', 'invoices.json', 'tls.crt', 'tls.key'])
      await symlink(`..data/${name}`, join(volume, name))
    const stack = await started(t, {
      configure(file) {
        file.Bff.FrontendsFolder = volume
        file.Server.Tls = { CertFile: join(volume, 'tls.crt'), KeyFile: join(volume, 'tls.key') }
        for (const frontend of file.Bff.Frontends) frontend.PublicUrl = file.Bff.PublicUrl?.replace('http:', 'https:')
        file.Bff.PublicUrl = file.Bff.PublicUrl?.replace('http:', 'https:')
      },
    })
    const port = stack.ports.gateway
    const namesSeen = async () => {
      const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const { subjectaltname } = socket.getPeerCertificate()
      socket.destroy()
      return subjectaltname
    }
    t.is(await namesSeen(), 'DNS:localhost, DNS:old.example')
    await put('..v2', ['orders', 'invoices'], after)
    await writeFile(join(volume, '..v2/orders.json'), frontend('orders', '/renamed'))
    await symlink('..v2', join(volume, '..data_tmp'))
    await rename(join(volume, '..data_tmp'), join(volume, '..data'))
    await stack.generation(2)
    t.is(await namesSeen(), 'DNS:localhost, DNS:new.example')
    await logged(stack, /"added":\[\],"changed":\["orders"\],"removed":\[\]/)
    // A file that comes, and one that goes.
    await writeFile(join(volume, 'third.json'), frontend('third'))
    await stack.generation(3)
    await logged(stack, /"added":\["third"\]/)
  },
)
