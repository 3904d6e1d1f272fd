import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { registerCompletionHandler } from 'ava'
import puppeteer, { type Browser } from 'puppeteer-core'
import { Builder, By, Capabilities } from 'selenium-webdriver'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { freePorts } from './_stack.js'

/** One tab of a real browser, as far as a walk needs it. Certificates of this machine's own making are accepted. */
export interface Tab {
  open(url: string): Promise<void>
  /** A click as a person makes it, on the one element that the CSS selector finds. */
  click(selector: string): Promise<void>
  fill(selector: string, text: string): Promise<void>
  /** Resolves once the expression is true, whatever page is there by then. */
  until(expression: string): Promise<void>
  evaluate(expression: string): Promise<unknown>
}

export interface Engine {
  readonly name: string
  readonly isInstalled: boolean
  /** An empty profile, which is gone when `walk` is done. */
  withTab(walk: (tab: Tab) => Promise<void>): Promise<void>
}

/** Milliseconds. */
const timeout = 30_000

const chromium: Engine = {
  name: 'Chromium',
  isInstalled: chromiumIsInstalled,
  withTab: (walk) =>
    withChromium(
      async (context) => {
        const page = context.pages()[0] ?? (await context.newPage())
        await walk({
          open: async (url) => void (await page.goto(url)),
          click: (selector) => page.locator(selector).click(),
          fill: (selector, text) => page.locator(selector).fill(text),
          until: untilTrue((expression) => page.evaluate(expression)),
          evaluate: (expression) => page.evaluate(expression),
        })
      },
      { ignoreHTTPSErrors: true, take: 'browser' },
    ),
}

const firefoxPath = process.env.FIREFOX ?? '/usr/bin/firefox-esr'

/** A start costs more than a walk: the tests of a worker share a browser, and no test a profile. */
let sharedFirefox: Promise<Browser> | undefined
const firefoxBrowser = (): Promise<Browser> =>
  (sharedFirefox ??= puppeteer.launch({
    browser: 'firefox',
    executablePath: firefoxPath,
    headless: true,
    acceptInsecureCerts: true,
  }))

/** By WebDriver BiDi, which Firefox speaks itself. */
const firefox: Engine = {
  name: 'Firefox',
  isInstalled: existsSync(firefoxPath),
  async withTab(walk) {
    const context = await (await firefoxBrowser()).createBrowserContext()
    try {
      const page = await context.newPage()
      page.setDefaultTimeout(timeout)
      await walk({
        open: (url) => page.goto(url).then(() => undefined, goneOn),
        click: (selector) => page.locator(selector).click(),
        fill: (selector, text) => page.locator(selector).fill(text),
        until: untilTrue((expression) => page.evaluate(expression)),
        evaluate: (expression) => page.evaluate(expression),
      })
    } finally {
      await context.close()
    }
  },
}

interface WebDriver {
  readonly url: string
  stop(): Promise<void>
}

let sharedWebDriver: Promise<WebDriver> | undefined

async function startWebDriver(): Promise<WebDriver> {
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  // A process group of its own: xvfb-run does not hand on the signal that ends it.
  const child = spawn('xvfb-run', ['-a', 'WebKitWebDriver', `--port=${port}`], { stdio: 'ignore', detached: true })
  await eventually(async () => (await fetch(`${url}/status`)).ok).catch(async (cause) => {
    await stopped(child)
    throw cause
  })
  return { url, stop: () => stopped(child) }
}

registerCompletionHandler(async () => {
  await (await sharedFirefox)?.close()
  await (await sharedWebDriver)?.stop()
})

/** Safari's engine: WebKitGTK's own little browser, on a display that is not there. */
const webkit: Engine = {
  name: 'WebKit',
  isInstalled: miniBrowser() !== undefined && ['/usr/bin/WebKitWebDriver', '/usr/bin/xvfb-run'].every(existsSync),
  async withTab(walk) {
    sharedWebDriver ??= startWebDriver()
    const { url } = await sharedWebDriver
    const capabilities = new Capabilities({
      acceptInsecureCerts: true,
      'webkitgtk:browserOptions': { binary: miniBrowser(), args: ['--automation'] },
    })
    const driver = await new Builder().usingServer(url).withCapabilities(capabilities).forBrowser('MiniBrowser').build()
    try {
      const evaluate = (expression: string): Promise<unknown> => driver.executeScript(`return (${expression})`)
      await walk({
        open: (address) => driver.get(address),
        click: (selector) => driver.findElement(By.css(selector)).click(),
        async fill(selector, text) {
          const field = await driver.findElement(By.css(selector))
          await field.clear()
          await field.sendKeys(text)
        },
        until: untilTrue(evaluate),
        evaluate,
      })
    } finally {
      await driver.quit()
    }
  },
}

export const engines: readonly Engine[] = [chromium, firefox, webkit]

/** Debian keeps it below the architecture's folder. */
function miniBrowser(): string | undefined {
  const libraries = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  return libraries
    .flatMap((architecture) =>
      ['4.1', '4.0'].map((version) => join('/usr/lib', architecture, `webkit2gtk-${version}`, 'MiniBrowser')),
    )
    .find(existsSync)
}

function untilTrue(evaluate: Tab['evaluate']): Tab['until'] {
  return (expression) => eventually(async () => (await evaluate(`Boolean(${expression})`)) === true)
}

/** A page that is just being left answers with an error; the next one is asked again. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeout
  for (let last: unknown; ; ) {
    try {
      if (await isSo()) return
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error('it did not happen in time', { cause: last })
    await new Promise((resume) => setTimeout(resume, 50))
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  process.kill(-child.pid, 'SIGTERM')
  await exit
}

/** A page that leads on before it has loaded is an aborted one to Firefox. Where it has led to is what a walk waits for. */
function goneOn(error: unknown): void {
  if (!/NS_BINDING_ABORTED/.test(String(error))) throw error
}
