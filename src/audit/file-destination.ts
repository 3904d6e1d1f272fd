import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { createLineWriter, type LineWriter } from '../telemetry/line-writer.js'
import type { Losses } from './losses.js'

/**
 * Appends to a file that only its owner can read. A file that was renamed or removed, as logrotate does, is left behind with
 * the next lines: no signal is needed. Several processes may write to the same file.
 * @throws Error of the system when it cannot be opened
 */
export function openAuditFile(path: string, { lost, works }: Losses): LineWriter {
  let open = opened(path)
  const descriptor = (): number => {
    const there = statSync(path, { throwIfNoEntry: false })
    if (there?.ino === open.inode && there.dev === open.device) return open.descriptor
    const next = opened(path)
    closeSync(open.descriptor)
    open = next
    return next.descriptor
  }
  const writer = createLineWriter({ descriptor, onLost: lost, onBack: works })
  return {
    write: writer.write,
    close() {
      writer.close()
      closeSync(open.descriptor)
    },
  }
}

function opened(path: string) {
  const descriptor = openSync(path, 'a', 0o600)
  const { ino: inode, dev: device } = fstatSync(descriptor)
  return { descriptor, inode, device }
}
