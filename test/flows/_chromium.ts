import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

export const chromiumIsInstalled = existsSync(executablePath)
if (process.env.CI && !chromiumIsInstalled)
  throw new Error(`${executablePath} is missing. Elsewhere its tests are skipped; in CI they have to run.`)

/** A new browser with an empty profile, gone when `body` is done. */
export async function withChromium(
  body: (context: BrowserContext) => Promise<void>,
  { args = [], ...options }: BrowserContextOptions & { readonly args?: readonly string[] } = {},
): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'sallyport-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
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
    ...options,
  })
  try {
    await body(context)
  } finally {
    await context.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
