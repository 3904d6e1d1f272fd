import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BrandingSettings } from '../schema/values.js'

export interface BrandingOptions {
  readonly name?: string
  readonly theme?: string
}

/** @param directory What relative paths start at. */
export function brandingOptions({ Name, ThemeFile }: BrandingSettings = {}, directory: string): BrandingOptions {
  return {
    ...(Name !== undefined && { name: Name }),
    ...(ThemeFile !== undefined && { theme: readFileSync(resolve(directory, ThemeFile), 'utf8') }),
  }
}
