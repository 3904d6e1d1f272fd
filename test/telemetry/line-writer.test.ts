import { spawn } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createLineWriter } from '../../src/telemetry/line-writer.js'

/** Both ends of a named pipe, which can be emptied and left at will. */
async function aPipe(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  const path = join(folder, 'pipe')
  await once(spawn('mkfifo', [path]), 'exit')
  let reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  t.teardown(async () => {
    closeSync(descriptor)
    await rm(folder, { recursive: true })
  })
  return {
    descriptor,
    leave: () => closeSync(reader),
    comeBack: () => {
      reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    },
    /** What is in it by now. */
    read(): string {
      const bytes = Buffer.alloc(65_536)
      let text = ''
      try {
        for (let length = -1; length !== 0; text += bytes.toString('utf8', 0, length)) length = readSync(reader, bytes)
      } catch (error) {
        t.is((error as NodeJS.ErrnoException).code, 'EAGAIN')
      }
      return text
    },
  }
}

function aWriter(descriptor: number) {
  const told: (readonly [what: 'lost' | 'back', lines: number, cause: string])[] = []
  const writer = createLineWriter({
    descriptor: () => descriptor,
    onLost: (lines, cause) => told.push(['lost', lines, cause]),
    onBack: (lines, cause) => told.push(['back', lines, cause]),
    soon: setImmediate,
  })
  return { ...writer, told }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('the lines of one turn arrive in order', async (t) => {
  const pipe = await aPipe(t)
  const { write, told } = aWriter(pipe.descriptor)
  const lines = Array.from({ length: 100 }, (_, index) => `${index} ${'ü'.repeat(100)}\n`)
  for (const line of lines) write(line)
  await turn()
  t.is(pipe.read(), lines.join(''))
  t.deepEqual(told, [])
})

test('while the reader is gone lines are lost and counted; when one comes back they arrive again, and it is said', async (t) => {
  const pipe = await aPipe(t)
  const { write, told } = aWriter(pipe.descriptor)
  pipe.leave()
  for (const line of ['one\n', 'two\n']) write(line)
  await turn()
  write('three\n')
  await turn()
  t.deepEqual(told.splice(0), [
    ['lost', 2, 'EPIPE'],
    ['lost', 1, 'EPIPE'],
  ])
  pipe.comeBack()
  write('four\n')
  await turn()
  t.is(pipe.read(), 'four\n')
  t.deepEqual(told, [['back', 3, 'EPIPE']])
})

test.serial('beside workers, no piece is longer than what a pipe takes at once', async (t) => {
  const pieces = async (): Promise<number> => {
    const pipe = await aPipe(t)
    let count = 0
    const { write } = createLineWriter({
      descriptor: () => {
        count++
        return pipe.descriptor
      },
      onLost: () => t.fail(),
      onBack: () => t.fail(),
      soon: setImmediate,
    })
    const line = `${'x'.repeat(999)}\n`
    for (let written = 0; written < 20; written++) write(line)
    write(line.repeat(20), 20)
    await turn()
    return count
  }
  t.is(await pieces(), 1)

  cluster.setupPrimary({ silent: true })
  const worker = cluster.fork()
  t.teardown(() => worker.process.kill('SIGKILL'))
  t.is(await pieces(), 10)
  worker.process.kill('SIGKILL')
  await once(worker, 'exit')
  t.is(await pieces(), 1)
})

test('lines that come together are counted one by one, and parted where no piece takes them', async (t) => {
  const pipe = await aPipe(t)
  const { write, told } = aWriter(pipe.descriptor)
  const line = `${'x'.repeat(999)}\n`
  write(line.repeat(3), 3)
  // More than the writer takes in one piece, of which a pipe takes the beginning.
  write(line.repeat(200), 200)
  await turn()
  let text = ''
  while (text.length < 203 * line.length) {
    text += pipe.read()
    await turn()
  }
  t.is(text, line.repeat(203))
  pipe.leave()
  write(line.repeat(3), 3)
  write(line)
  await turn()
  t.deepEqual(told, [['lost', 4, 'EPIPE']])
})

test('a slow reader is waited for as long as there is room, and holds nothing up', async (t) => {
  const pipe = await aPipe(t)
  const { write, told } = aWriter(pipe.descriptor)
  const line = `${'x'.repeat(999)}\n`
  const count = 2000
  for (let written = 0; written < count; written++) write(line)
  await turn()
  const lost = told.reduce((sum, [, lines]) => sum + lines, 0)
  t.true(lost > 900 && lost < 1000, `${lost} of 2 MB are lost where 1 MB has room`)
  t.true(told.every(([what, , cause]) => what === 'lost' && cause === 'EAGAIN'))

  let text = ''
  while (text.length < (count - lost) * line.length) {
    text += pipe.read()
    await turn()
  }
  t.is(text, line.repeat(count - lost), 'the others arrive whole')
  t.deepEqual(told.at(-1), ['back', lost, 'EAGAIN'])
})

if (existsSync('/dev/full'))
  test('a full disk costs the lines and nothing else', async (t) => {
    const descriptor = openSync('/dev/full', 'w')
    t.teardown(() => closeSync(descriptor))
    const { write, told } = aWriter(descriptor)
    write('one\n')
    await turn()
    t.deepEqual(told, [['lost', 1, 'ENOSPC']])
  })
