import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

const script = `
import { createSallyport } from './browser.js'
const show = (user) => {
  document.title = user.authenticated ? 'in: ' + user.sub : 'out'
}
globalThis.expiring = []
globalThis.repeated = []
const onRepeated = async (answer, call) => repeated.push({ ...call, status: answer.status, body: await answer.text() })
const onExpiring = (left) => expiring.push(left)
globalThis.sallyport = createSallyport({ onChange: show, onExpiring, onRepeated, warnBefore: 5 })
globalThis.ready = sallyport.user().then(show)
`

/** A single-page application that shows in its title who is logged in, with the browser helper in it. */
export async function anApplication(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-spa-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><meta charset="utf-8"><title>…</title><script type="module" src="/app.js"></script><h1>Application</h1>',
  )
  await writeFile(join(folder, 'app.js'), script)
  await copyFile(fileURLToPath(new URL('../../src/browser/browser.js', import.meta.url)), join(folder, 'browser.js'))
  return folder
}
