import { resolve } from 'node:path'
import type { ConfigurationFiles } from '../files.js'
import type { BrandingSettings } from '../schema/values.js'

export interface BrandingOptions {
  readonly name?: string
  readonly theme?: string
}

/** @param directory What relative paths start at. */
export function brandingOptions(
  settings: BrandingSettings | undefined,
  directory: string,
  files: ConfigurationFiles,
): BrandingOptions {
  if (settings === undefined) return {}
  const { Name, ThemeFile } = settings
  const theme = ThemeFile === undefined ? undefined : files.read(resolve(directory, ThemeFile)).toString('utf8')
  return { name: Name, ...(theme !== undefined && { theme }) }
}
