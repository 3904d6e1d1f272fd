import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parse } from 'jsonc-parser'
import { blocksOf, withAt } from '../_pages.js'
import { run } from '../_programs.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { link } from './_packed.js'
import { isReady } from './_program.js'
import { freePorts } from './_stack.js'

const main = resolve('dist/main.js')
const title = 'docs/tutorial.md, done as it is written in an empty folder, ends with the orders of the API on the page'

if (!chromiumIsInstalled) test.skip(`${title}: no Chromium is installed`, () => {})
else
  test(title, async (t) => {
    const [gateway = 0, server = 0, api = 0, admin = 0] = await freePorts(4)
    const moved = (text: string): string =>
      [3000, 3001, 8080, 9464].reduce(
        (changed, port, index) => changed.replaceAll(`:${port}`, `:${[gateway, server, api, admin][index]}`),
        text.replace('listen(8080', `listen(${api}`),
      )
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-tutorial-'))
    t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    await link(join(folder, 'node_modules'), { sallyport: '..', express: 'express' })
    const blocks = await blocksOf('docs/tutorial.md')

    const init = blocks.find(({ text }) => text.includes('sallyport init'))?.text.trim() ?? ''
    const parameters = init.split(/\s+/).slice(3)
    const { stdout } = await run(process.execPath, [main, ...parameters], { cwd: folder })
    const password = /Sign in as alice with (\S+):/.exec(stdout)?.[1] ?? ''

    for (const { fence, text } of blocks) {
      const [, name] = / file (\S+)$/.exec(fence) ?? []
      if (name !== undefined) await writeFile(join(folder, name), moved(text))
    }
    const file = join(folder, 'frontends.json')
    const walked = blocks.filter(({ fence }) => /\/(?:Routes|Scopes)$/.test(fence))
    t.is(walked.length, 2)
    const configuration = walked.reduce(
      (whole: unknown, { fence, text }) => withAt(whole, fence.split(' ')[2] ?? '', parse(text)),
      parse(await readFile(file, 'utf8')),
    )
    await writeFile(file, moved(JSON.stringify(configuration)))

    await listening(t, folder, ['api.mjs'], `http://localhost:${api}/`)
    await listening(t, folder, [main, 'start'], `http://127.0.0.1:${admin}/readyz`)
    await withChromium(async (context) => {
      const page = await context.newPage()
      await page.goto(`http://localhost:${gateway}/`)
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.fill('[name=username]', 'alice')
      await page.fill('[name=password]', password)
      await page.getByRole('button').first().click()
      await page.getByText('see your orders').waitFor()
      await page.locator('button[value=allow]').click()
      await page.getByText('a lamp').waitFor()
      t.is(await page.locator('#user').innerText(), 'Signed in as alice Sign out')
      await page.getByRole('link', { name: 'Sign out' }).click()
      await page.getByRole('link', { name: 'Sign in' }).waitFor()
    })
    t.pass()
  })

/** Starts a program, and waits until its address answers. */
async function listening(t: ExecutionContext, cwd: string, parameters: string[], url: string): Promise<void> {
  const child = spawn(process.execPath, parameters, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill())
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  await isReady(new URL(url), child).catch((cause) => {
    throw new Error(`${url} does not answer: ${said}`, { cause })
  })
}
