import { writeFile } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import { createFiles } from '../../src/config/files.js'
import { readConfiguration } from '../../src/config/load.js'
import { UpstreamError } from '../../src/errors.js'
import { createGenerations } from '../../src/server/generations.js'
import { createReload, type Prepared } from '../../src/server/reload.js'
import { eventually } from '../_eventually.js'
import { aFile } from '../config/_workspace.js'

const changes = { added: [], changed: [], removed: [] }

const content = (name: string, watch = false) =>
  JSON.stringify({
    Server: { Watch: watch },
    Bff: { Frontends: [{ Name: name, Routes: [] }] },
    OpenIddict: { Issuer: 'http://localhost:3000/auth' },
  })

interface Preparing extends Partial<Prepared> {
  /** Resolves when it is ready. Default: at once. */
  readonly ready?: () => Promise<void>
}

async function reloading(t: ExecutionContext, preparing: Preparing = {}, watch = false) {
  const file = await aFile(t, content('app', watch))
  const files = createFiles()
  const generations = createGenerations(readConfiguration({ file, environment: {}, files }))
  const seen: string[] = []
  let prepared = 0
  const reload = createReload({
    file,
    environment: {},
    files,
    generations,
    timeout: 0.2,
    async prepare({ configuration }) {
      prepared++
      await preparing.ready?.()
      return {
        changes,
        swap: () => void seen.push(configuration.gateway?.frontends[0]?.name ?? ''),
        discard: () => void seen.push('discarded'),
        ...preparing,
      }
    },
  })
  t.teardown(reload.stop)
  return { file, generations, reload, seen, prepared: () => prepared }
}

test('requests that come while one is under way are one more, with the file as it is then', async (t) => {
  let finish = (): void => {}
  const held = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { file, reload, seen, prepared } = await reloading(t, { ready: () => held })
  await writeFile(file, content('second'))
  reload.request()
  await eventually(() => prepared() === 1)
  await writeFile(file, content('third'))
  for (let index = 0; index < 5; index++) reload.request()
  finish()
  await eventually(() => seen.length === 2)
  t.deepEqual(seen, ['second', 'third'])
  t.is(prepared(), 2)
})

test('what is not ready in time is refused, and given up as soon as it is', async (t) => {
  let finish = (): void => {}
  const held = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { reload, generations, seen } = await reloading(t, { ready: () => held })
  reload.request()
  await eventually(() => generations.status().refused !== undefined)
  t.regex(generations.status().refused?.problems[0]?.problem ?? '', /was not ready within 0\.2 seconds/)
  t.is(generations.status().generation, 1)
  finish()
  await eventually(() => seen.length > 0)
  t.deepEqual(seen, ['discarded'])
})

test('what fails for another reason than the file is said, and nothing has changed', async (t) => {
  const failing = { ready: () => Promise.reject(new UpstreamError('store_unavailable', 'the store does not answer')) }
  const { reload, generations, seen } = await reloading(t, failing)
  reload.request()
  await eventually(() => generations.status().refused !== undefined)
  t.regex(generations.status().refused?.problems[0]?.problem ?? '', /the store does not answer/)
  t.deepEqual([seen, generations.status().generation, generations.status().refusals], [[], 1, 1])
})

test('a file that is touched is no change; one that says again what it said before a mistake clears the refusal', async (t) => {
  const { file, generations, seen } = await reloading(t, {}, true)
  await writeFile(file, content('app', true))
  await writeFile(file, '{')
  await eventually(() => generations.status().refused !== undefined)
  await writeFile(file, content('app', true))
  await eventually(() => generations.status().refused === undefined)
  t.deepEqual(seen, ['app'])
  await writeFile(file, content('app', true))
  await writeFile(file, content('other', true))
  await eventually(() => generations.current().gateway?.frontends[0]?.name === 'other')
  t.deepEqual(seen, ['app', 'other'])
})

test('when it stops, what is being prepared is given up', async (t) => {
  let finish = (): void => {}
  const held = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { reload, seen, generations, prepared } = await reloading(t, { ready: () => held })
  reload.request()
  await eventually(() => prepared() === 1)
  reload.stop()
  finish()
  await eventually(() => seen.length > 0)
  t.deepEqual(seen, ['discarded'])
  t.is(generations.status().generation, 1)
})
