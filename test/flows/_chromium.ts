import { existsSync } from 'node:fs'
import { registerCompletionHandler } from 'ava'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { eventually } from '../_eventually.js'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/**
 * The same engine without the windows around it: five walks take 1.5 s of processor time instead of 6.7 s, measured. Where it is
 * not installed, and where another Chromium is asked for, walks take the whole browser.
 */
const shellPath =
  process.env.CHROMIUM === undefined ? '/usr/bin/chromium-headless-shell' : (process.env.CHROMIUM_SHELL ?? '')

export const chromiumIsInstalled = existsSync(executablePath)
if (process.env.CI && !chromiumIsInstalled)
  throw new Error(`${executablePath} is missing. Elsewhere its tests are skipped; in CI they have to run.`)

interface ChromiumOptions extends BrowserContextOptions {
  readonly args?: readonly string[]
  /** `browser` for what the browser adds to its engine. Default: `engine`. */
  readonly take?: 'engine' | 'browser'
}

/** By program and arguments. A start costs more than most walks: the tests of a worker share browsers, and no test a profile. */
const browsers = new Map<string, Promise<Browser>>()
registerCompletionHandler(async () => {
  for (const browser of browsers.values()) await (await browser).close()
})

function browserWith({ args, take }: Required<Pick<ChromiumOptions, 'args' | 'take'>>): Promise<Browser> {
  const program = take === 'engine' && existsSync(shellPath) ? shellPath : executablePath
  const key = [program, ...args].join(' ')
  const running = browsers.get(key)
  if (running !== undefined) return running
  const launched = chromium.launch({
    executablePath: program,
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
  { args = [], take = 'engine', ...options }: ChromiumOptions = {},
): Promise<void> {
  const context = await (await browserWith({ args, take })).newContext(options)
  try {
    await body(context)
  } finally {
    await context.close()
  }
}

/** Waits until an expression holds on a page whose own security policy forbids what Playwright waits with. */
export const eventuallyOn = (page: Page, expression: string): Promise<void> =>
  eventually(() => page.evaluate<boolean>(expression).catch(() => false), { within: 50 })
