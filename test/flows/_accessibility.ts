import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
}

let source: string | undefined

/** What axe-core finds wrong with the page as it looks now: the rule, and the elements. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  source ??= await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(source)
  // Of rules that hold it would gather the elements, too: half of its time.
  const { violations } = await page.evaluate<AxeResult>("axe.run({ resultTypes: ['violations'] })")
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}
