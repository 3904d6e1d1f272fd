import { existsSync } from 'node:fs'
import { registerCompletionHandler } from 'ava'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

export const chromiumIsInstalled = existsSync(executablePath)
if (process.env.CI && !chromiumIsInstalled)
  throw new Error(`${executablePath} is missing. Elsewhere its tests are skipped; in CI they have to run.`)

/** By their arguments. A start costs more than most walks: the tests of a worker share browsers, and no test a profile. */
const browsers = new Map<string, Promise<Browser>>()
registerCompletionHandler(async () => {
  for (const browser of browsers.values()) await (await browser).close()
})

function browserWith(args: readonly string[]): Promise<Browser> {
  const key = args.join(' ')
  const running = browsers.get(key)
  if (running !== undefined) return running
  const launched = chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
  browsers.set(key, launched)
  launched.then((browser) => browser.once('disconnected', () => browsers.delete(key))).catch(() => browsers.delete(key))
  return launched
}

/** A browser with an empty profile, which is gone when `body` is done. */
export async function withChromium(
  body: (context: BrowserContext) => Promise<void>,
  { args = [], ...options }: BrowserContextOptions & { readonly args?: readonly string[] } = {},
): Promise<void> {
  const context = await (await browserWith(args)).newContext(options)
  try {
    await body(context)
  } finally {
    await context.close()
  }
}
