import { statSync } from 'node:fs'

/** What a path leads to, links followed. What cannot be looked at is not there. */
export function fileKind(path: string): 'file' | 'folder' | 'none' {
  try {
    const found = statSync(path)
    return found.isDirectory() ? 'folder' : 'file'
  } catch {
    return 'none'
  }
}
