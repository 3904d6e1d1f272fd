import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { createFileStore } from '../../src/store/file-store.js'
import type { Store } from '../../src/store/store.js'
import { eventually } from '../_eventually.js'
import { storeContract } from './_store-contract.js'

const folder = await mkdtemp(join(tmpdir(), 'sallyport-file-store-'))

// One for all checks: each has keys of its own, and every store has a thread.
const shared = await createFileStore({ path: join(folder, 'contract'), timeout: 30 })
test.after.always(async () => {
  await shared.close()
  await rm(folder, { recursive: true, force: true })
})
storeContract('the file store', async () => ({ ...shared, close: async () => undefined }))

test('of two processes that race for a record, one gets it; each sees at once what the other has written', async (t) => {
  const path = join(folder, 'shared')
  const [one, two] = [await aProcess(t, path), await aProcess(t, path)]
  const soon = Date.now() / 1000 + 60
  for (let round = 0; round < 20; round++) {
    const key = `key ${round}`
    const both = (operation: keyof Store, ...values: unknown[]) =>
      Promise.all([one(operation, key, ...values), two(operation, key, ...values)])
    const added = await both('addIfAbsent', 'first', soon)
    t.deepEqual(added.sort(), [false, true])
    t.deepEqual(await both('get'), ['first', 'first'])
    t.deepEqual((await both('replace', 'first', 'second', soon)).sort(), [false, true])
    t.deepEqual(
      (await both('take')).filter((value) => value !== null),
      ['second'],
    )
    t.deepEqual(await both('get'), [null, null])
  }
  const counts = await Promise.all(
    Array.from({ length: 30 }, (_, index) => (index % 2 ? one : two)('count', 'count', 1, { limit: 10, window: 60 })),
  )
  t.is(counts.filter((count) => (count as { readonly counted: boolean }).counted).length, 10)
})

test('what one process says another one hears within half a second, and what was said before it came it does not', async (t) => {
  const path = join(folder, 'signals')
  const speaker = await aProcess(t, path)
  await speaker('signal', 'topic', 'too early')
  const store = await createFileStore({ path })
  t.teardown(store.close)
  const heard: { readonly message: string; readonly at: number }[] = []
  const stop = store.signals?.listen('topic', (message) => heard.push({ message, at: Date.now() }))
  const spoken = Date.now()
  for (let number = 0; number < 50; number++) await speaker('signal', number % 2 ? 'topic' : 'another', `${number}`)
  await eventually(() => heard.length >= 25)
  t.deepEqual(
    heard.map(({ message }) => message),
    Array.from({ length: 25 }, (_, index) => `${2 * index + 1}`),
  )
  t.log(`the first after ${(heard[0]?.at ?? 0) - spoken} ms`)
  stop?.()
})

test('a folder that cannot be written to is said to be', async (t) => {
  const error = await t.throwsAsync(createFileStore({ path: join(fileURLToPath(import.meta.url), 'store') }), {
    code: 'store_unavailable',
  })
  t.true(error.cause instanceof Error)
})

test('a database that is damaged is said to be, before it ends the process', async (t) => {
  const path = join(folder, 'damaged')
  const file = join(path, 'store.mdb')
  const store = await createFileStore({ path })
  const later = Date.now() / 1000 + 60
  for (let index = 0; index < 100; index++) await store.set(`${index}`, 'x'.repeat(500), later)
  await store.close()
  const whole = await readFile(file)
  const cases: readonly [string, Buffer, RegExp][] = [
    ['other bytes', Buffer.alloc(whole.length, 'x'), /is damaged, or is no database/],
    ['its first bytes', whole.subarray(0, 100), /is damaged, or is no database/],
    ['its first page', whole.subarray(0, 4096), /is damaged, or is no database/],
    ['a half', whole.subarray(0, whole.length / 2), /has been cut off/],
  ]
  for (const [what, bytes, message] of cases) {
    await writeFile(file, bytes)
    const error = await t.throwsAsync(createFileStore({ path }), { code: 'store_unavailable' }, what)
    t.regex(String(error.cause), message, what)
  }
  // Its last pages may be free: shorter than it says, and whole.
  const last = whole.readBigUInt64LE(144)
  const longer = Buffer.from(whole)
  for (const page of [0, 4096]) longer.writeBigUInt64LE(last + 5n, page + 144)
  for (const bytes of [longer, whole, Buffer.alloc(0)]) {
    await writeFile(file, bytes)
    const again = await createFileStore({ path })
    t.is(await again.get('50'), bytes.length > 0 ? 'x'.repeat(500) : undefined)
    await again.close()
  }
})

test('what has expired is freed, and the file is used again', async (t) => {
  const store = await createFileStore({ path: join(folder, 'swept') })
  t.teardown(store.close)
  const keys = Array.from({ length: 500 }, (_, index) => `${index}`)
  const later = Date.now() / 1000 + 60
  await Promise.all(keys.map((key) => store.set(key, 'x'.repeat(2000), later)))
  t.is((await store.usage()).records, keys.length)
  // Not before all of them are there, however long that takes.
  await Promise.all(keys.map((key) => store.extend(key, Date.now() / 1000 + 0.1)))
  await eventually(async () => (await store.usage()).records === 0)
  const { bytes } = await store.usage()
  await Promise.all(keys.slice(100).map((key) => store.set(key, 'x'.repeat(2000), later)))
  t.true((await store.usage()).bytes < bytes * 1.3)
})

test('the files are for their owner alone, in a folder that others may look into, too', async (t) => {
  const path = join(folder, 'looked into')
  await mkdir(path)
  await chmod(path, 0o755)
  const store = await createFileStore({ path })
  t.teardown(store.close)
  await store.set('key', 'text', Date.now() / 1000 + 60)
  const modes = await Promise.all(
    (await readdir(path)).map(async (name) => [name, (await stat(join(path, name))).mode & 0o777] as const),
  )
  t.true(modes.length >= 2)
  t.deepEqual(
    modes.filter(([, mode]) => mode !== 0o600),
    [],
  )
})

/** A process of its own that has the store open, and does what it is told. */
async function aProcess(t: ExecutionContext, path: string) {
  const child = fork(fileURLToPath(new URL('./_file-store-process.js', import.meta.url)), [path])
  t.teardown(() => child.kill('SIGKILL'))
  child.setMaxListeners(0)
  await once(child, 'message')
  let last = 0
  return async (operation: keyof Store | 'signal', ...values: unknown[]): Promise<unknown> => {
    const id = ++last
    const answered = new Promise<unknown>((resolve) => {
      const onMessage = (message: { readonly id: number; readonly result: unknown }): void => {
        if (message.id !== id) return
        child.off('message', onMessage)
        resolve(message.result)
      }
      child.on('message', onMessage)
    })
    child.send({ id, operation, values })
    return answered
  }
}
