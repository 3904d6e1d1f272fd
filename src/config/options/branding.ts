import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BrandingSettings } from '../schema/values.js'

export interface BrandingOptions {
  readonly name?: string
  readonly theme?: string
}

/** @param directory What relative paths start at. */
export function brandingOptions(settings: BrandingSettings | undefined, directory: string): BrandingOptions {
  if (settings === undefined) return {}
  const { Name, ThemeFile } = settings
  return { name: Name, ...(ThemeFile !== undefined && { theme: readFileSync(resolve(directory, ThemeFile), 'utf8') }) }
}
