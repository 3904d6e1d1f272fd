import cluster from 'node:cluster'
import { writeSync } from 'node:fs'

/** What a log is written by: never throws, never waits, never grows without bound. */
export interface LineWriter {
  /**
   * @param lines each with its line feed. Several are written in one piece, where a piece takes them.
   * @param count How many lines. Default: one.
   */
  write(lines: string, count?: number): void
  /** Writes what waits, as far as that goes without waiting. Nothing is written after it. */
  close(): void
}

export interface LineWriterOptions {
  /** Asked before each write. Default: standard output. */
  readonly descriptor?: () => number
  /** Lines that cannot be written, and the system's word for why. */
  readonly onLost: (lines: number, cause: string) => void
  /** Once lines arrive again: how many have not. */
  readonly onBack: (lost: number, cause: string) => void
  /** When what has come is written. Default: some milliseconds later. */
  readonly soon?: (flush: () => void) => void
}

/** A pipe takes so much in one piece (PIPE_BUF), so that the lines of several processes do not end up in each other. One process alone has no such neighbours. */
function pieceLength(): number {
  const hasNeighbours = cluster.isWorker || Object.keys(cluster.workers ?? {}).length > 0
  return hasNeighbours ? 4096 : 65_536
}

/** Bytes that wait for a slow reader. */
const capacity = 1_048_576
/** Milliseconds for which lines are gathered: each write wakes the reader, which costs more than the line. */
const gathering = 20
/** Milliseconds until a pipe that is full is tried again. */
const pause = 20

function gathered(flush: () => void): void {
  setTimeout(flush, gathering).unref()
}

/**
 * Writes the lines of some milliseconds together, and what is left when the process ends. A slow reader is waited for as long as there is room; one that
 * has gone, or a full disk, costs those lines and nothing else, and is tried again with the next.
 */
export function createLineWriter({ descriptor, onLost, onBack, soon = gathered }: LineWriterOptions): LineWriter {
  // Asking for the stream is what makes a full pipe say so at once, instead of letting us wait.
  const standardOutput = descriptor === undefined ? process.stdout.fd : 1
  const target = descriptor ?? (() => standardOutput)
  let waiting: { readonly lines: string; readonly count: number; readonly length: number }[] = []
  let size = 0
  let piece: { readonly bytes: Buffer; readonly count: number; written: number } | undefined
  let isPlanned = false
  /** Half a line has been written, and the rest will never be. */
  let isBrokenOff = false
  let lost = { lines: 0, cause: '' }

  const lose = (lines: number, cause: string): void => {
    lost = { lines: lost.lines + lines, cause }
    onLost(lines, cause)
  }

  const nextPiece = (): typeof piece => {
    if (waiting.length === 0) return undefined
    const longest = pieceLength()
    let text = isBrokenOff ? '\n' : ''
    let [taken, count, length] = [0, 0, 0]
    for (const next of waiting) {
      if (taken > 0 && length + next.length > longest) break
      text += next.lines
      taken += 1
      count += next.count
      length += next.length
    }
    waiting = waiting.slice(taken)
    size -= length
    return { bytes: Buffer.from(text), count, written: 0 }
  }

  const flush = (): void => {
    let works = false
    isPlanned = false
    for (;;) {
      piece ??= nextPiece()
      if (piece === undefined) break
      const { bytes, count } = piece
      try {
        piece.written += writeSync(target(), bytes, piece.written)
        works = true
        isBrokenOff = piece.written < bytes.length
        if (!isBrokenOff) piece = undefined
      } catch (error) {
        const { code = 'unknown' } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') {
          isPlanned = true
          setTimeout(flush, pause).unref()
          return
        }
        works = false
        lose(count, code)
        piece = undefined
      }
    }
    if (!works || lost.lines === 0) return
    const { lines, cause } = lost
    lost = { lines: 0, cause: '' }
    onBack(lines, cause)
  }

  process.on('exit', flush)

  const write = (lines: string, count = 1): void => {
    const length = Buffer.byteLength(lines)
    if (count > 1 && length > pieceLength()) {
      for (const line of lines.split(/(?<=\n)/)) write(line)
      return
    }
    if (size + length > capacity) {
      lose(count, 'EAGAIN')
      return
    }
    waiting.push({ lines, count, length })
    size += length
    if (isPlanned) return
    isPlanned = true
    soon(flush)
  }

  return {
    write,
    close() {
      process.off('exit', flush)
      flush()
    },
  }
}
