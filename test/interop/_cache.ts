import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A folder for what was downloaded and built, outside of the tree: it is there for the next run. */
export async function cache(name: string): Promise<string> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sallyport-interop', name)
  await mkdir(folder, { recursive: true })
  return folder
}
