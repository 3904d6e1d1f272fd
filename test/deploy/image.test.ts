import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'ava'
import { initialise } from '../../src/cli/init/init.js'
import { freePorts } from '../flows/_stack.js'
import { installed, run } from './_manifests.js'

/**
 * What the image does, without an engine: the Dockerfile's own variables, user and health check, as process 1 of a namespace
 * whose root is read-only. Only root may make such a place.
 */
const inNamespace = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const possible =
  (await installed('setpriv')) !== undefined &&
  (await run('unshare', [...inNamespace, 'mount', '-t', 'tmpfs', 'none', tmpdir()]).then(
    () => true,
    () => false,
  ))
const withNamespaces = possible ? test : test.skip

withNamespaces(
  'the image as process 1, user 1000, on a read-only root: it turns healthy by itself, and SIGTERM drains it',
  async (t) => {
    const [port = 0, admin = 0] = await freePorts(2)
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-image-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await initialise(folder)
    // A mounted configuration belongs to another user than the container's.
    for (const name of ['.', 'keys', 'keys/client.jwk', 'keys/sealing.key', 'spa'])
      await chmod(join(folder, name), name.includes('.') && name !== '.' ? 0o644 : 0o755)
    const state = join(folder, 'state')
    await mkdir(state)

    const dockerfile = await readFile('Dockerfile', 'utf8')
    const [, user = ''] = /^USER (\d+):\d+$/m.exec(dockerfile) ?? []
    const [, health = ''] = /^ *CMD \["node", "-e", "(.*)"\]$/m.exec(dockerfile) ?? []
    const [, command = ''] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? []
    const parameters = (JSON.parse(command) as string[]).map((word) => word.replace('/etc/sallyport', folder))
    const variables = Object.fromEntries(
      [...dockerfile.matchAll(/(Server__\w+)=(\S+)/g)].map(([, name = '', value = '']) => [
        name,
        value.replace('/var/lib/sallyport', state).replace(':3000', `:${port}`).replace(':9464', `:${admin}`),
      ]),
    )
    // No balancer has to take notice.
    const env = { ...process.env, ...variables, Server__DrainDelay: '00:00:00' }
    const locked = `mount -o remount,bind,ro / && mount -t tmpfs -o mode=700,uid=${user},gid=${user} none "${state}" && exec "$@"`
    const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--no-new-privs']
    const program = [process.execPath, resolve('dist/main.js'), ...parameters]
    const child = spawn('unshare', [...inNamespace, 'sh', '-c', locked, 'sh', ...asUser, ...program], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))

    const isHealthy = (): Promise<boolean> =>
      run(process.execPath, ['-e', health], { env }).then(
        () => true,
        () => false,
      )
    while (!(await isHealthy()) && child.exitCode === null);
    t.is(child.exitCode, null, output)
    t.is((await fetch(`http://127.0.0.1:${admin}/readyz`)).status, 200)

    const [inside = ''] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(' ')
    const status = await readFile(`/proc/${inside}/status`, 'utf8')
    t.regex(status, /^NSpid:\s+\d+\s+1$/m)
    t.regex(status, new RegExp(`^Uid:\\s+${user}\\s+${user}`, 'm'))
    process.kill(Number(inside), 'SIGTERM')
    await once(child, 'exit')
    t.is(child.exitCode, 0, output)
    t.regex(output, /"msg":"server\.draining"[\s\S]*"msg":"server\.stopped"/)
    t.deepEqual(await readdir(state), [])
  },
)
