import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import test from 'ava'
import { createRedisStore } from '../../src/store/redis-store.js'
import { storeContract as contract } from '../../src/store/testing/store-contract.js'
import { selfSigned } from '../http/_self-signed.js'
import { freePort, startRedis } from './_redis.js'
import { storeContract } from './_store-contract.js'

const redis = await startRedis()
test.after.always(async () => {
  await redis?.stop()
})

if (redis === undefined) {
  test.skip('the Redis store: no redis-server is installed', () => {})
} else {
  storeContract('the Redis store', () => createRedisStore({ url: redis.url, timeout: 30 }))

  test('the Redis store says that it is unavailable when Redis has gone', async (t) => {
    const own = await startRedis()
    const store = await createRedisStore({ url: own?.url ?? '', timeout: 0.5 })
    await own?.stop()
    await t.throwsAsync(store.get('key'), { code: 'store_unavailable' })
    await store.close()
  })

  test('a Redis that hangs, or refuses to write, does not hold a request: the reason is told in its own word', async (t) => {
    const own = await startRedis()
    t.teardown(async () => own?.stop())
    const told: string[] = []
    const outage = { failed: (cause: string) => void told.push(cause), worked: () => void told.push('worked') }
    const store = await createRedisStore({ url: own?.url ?? '', timeout: 0.5, outage })
    t.teardown(store.close)
    const operator = await createClient({ url: own?.url ?? '' })
      .on('error', () => undefined)
      .connect()
    t.teardown(() => operator.destroy())
    const soon = Date.now() / 1000 + 60

    await operator.sendCommand(['CONFIG', 'SET', 'maxmemory', '1'])
    await t.throwsAsync(store.set('key', 'value', soon), { code: 'store_unavailable' })
    await operator.sendCommand(['CONFIG', 'SET', 'maxmemory', '0'])
    await operator.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
    await t.throwsAsync(store.set('key', 'value', soon), { code: 'store_unavailable' })
    await operator.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await operator.sendCommand(['CLIENT', 'PAUSE', '600000', 'ALL'])
    await t.throwsAsync(store.get('key'), { code: 'store_unavailable' })
    t.deepEqual(told, ['OOM', 'READONLY', 'TimeoutError'])
  })

  // Alone: it keeps the whole process busy.
  test.serial('a process that was busy for longer than a call waits reads the reply that came meanwhile', async (t) => {
    const store = await createRedisStore({ url: redis.url, timeout: 0.5 })
    t.teardown(store.close)
    await store.set('busy', 'value', Date.now() / 1000 + 60)
    const reply = store.get('busy')
    // The command leaves with this turn, and the reply waits in the socket.
    await new Promise(setImmediate)
    const until = performance.now() + 700
    while (performance.now() < until);
    t.is(await reply, 'value')
  })

  test('an answer of a form that the command does not have is an outage, neither a value nor a success', async (t) => {
    let answer: string | undefined
    const middle = createServer((socket) => {
      const to = connect(Number(new URL(redis.url).port), '127.0.0.1')
      to.on('error', () => socket.destroy()).on('data', (bytes) => socket.write(answer ?? bytes))
      socket.on('error', () => to.destroy()).on('close', () => to.destroy())
      socket.on('data', (bytes) => to.write(bytes))
    }).listen(0, '127.0.0.1')
    await once(middle, 'listening')
    t.teardown(() => middle.close())
    const told: string[] = []
    const outage = { failed: (cause: string) => void told.push(cause), worked: () => undefined }
    const { port } = middle.address() as AddressInfo
    const store = await createRedisStore({ url: `redis://127.0.0.1:${port}`, timeout: 5, outage })
    t.teardown(store.close)
    const soon = Date.now() / 1000 + 60
    const cases: readonly [string, () => Promise<unknown>][] = [
      [':1\r\n', () => store.get('key')],
      [':1\r\n', () => store.take('key')],
      ['$-1\r\n', () => store.set('key', 'value', soon)],
      ['+QUEUED\r\n', () => store.addIfAbsent('key', 'value', soon)],
      ['+OK\r\n', () => store.replace('key', 'value', 'other', soon)],
      ['+OK\r\n', () => store.members('key')],
      ['*1\r\n:1\r\n', () => store.count('key', 1, { limit: 1, window: 60 })],
    ]
    for (const [text, command] of cases) {
      answer = text
      await t.throwsAsync(command, { code: 'store_unavailable' }, text)
    }
    t.deepEqual(
      told,
      cases.map(() => 'UnexpectedReply'),
    )
    answer = undefined
    t.is(await store.get('nothing'), undefined)
  })

  test('a Redis with TLS that wants a client certificate and a user gets both, and the database that is named', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-redis-tls-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    // One certificate for all: it has signed itself, and that is whom server and client trust.
    const { cert, key } = await selfSigned()
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    await writeFile(certFile, cert)
    await writeFile(keyFile, key)
    const [, rights = ''] = /\*\*Rights of the user\*\*: `([^`]+)`/.exec(await readFile('docs/stores.md', 'utf8')) ?? []
    const port = await freePort()
    const own = await startRedis(
      ...['--tls-port', String(port), '--tls-cert-file', certFile, '--tls-key-file', keyFile],
      ...['--tls-ca-cert-file', certFile, '--tls-auth-clients', 'yes'],
      ...['--user', 'shop', 'on', '>secret', ...rights.replaceAll('sallyport:', 'shop:').split(' ')],
    )
    t.teardown(async () => own?.stop())
    const url = `rediss://localhost:${port}`
    const right = {
      url,
      username: 'shop',
      password: 'secret',
      database: 3,
      prefix: 'shop:',
      tls: { ca: cert, cert, key },
    }
    const store = await createRedisStore(right)
    t.teardown(store.close)
    for (const check of contract.filter(({ title }) => !/parallel|races|window/.test(title))) await check.run(store)
    await store.set('key', 'value', Date.now() / 1000 + 60)
    const operator = await createClient({ url: own?.url ?? '', database: 3 }).connect()
    t.teardown(() => operator.destroy())
    t.true((await operator.keys('*')).includes('shop:key'))
    t.regex(String(await operator.sendCommand(['CLIENT', 'LIST'])), /db=3 .* user=shop /)

    for (const [what, wrong] of Object.entries({
      'no client certificate': { ...right, tls: { ca: cert } },
      'an authority that is not trusted': { ...right, tls: { cert, key } },
      'another password': { ...right, password: 'wrong' },
    }))
      await t.throwsAsync(createRedisStore(wrong), { code: 'store_unavailable' }, what)
    const elsewhere = await createRedisStore({ ...right, prefix: 'bank:' })
    t.teardown(elsewhere.close)
    await t.throwsAsync(elsewhere.get('key'), { code: 'store_unavailable' }, 'keys that the user may not read')
  })
}
