import { createSlabs, type Kept, keptBytes, type Slabs } from './slabs.js'

/** A text as it is, or where its bytes are. */
export type Packed = string | Kept

/** Texts in three quarters of their memory, where they are seals. */
export interface PackedTexts {
  pack(text: string): Packed
  unpack(packed: Packed): string
  /** Its place is another one's from then on. */
  drop(packed: Packed): void
}

/** Below that there is little to be saved. */
const worthIt = 128

/** The first byte of a packed text says how long its head is. */
const longestHead = 255

/**
 * What follows the last dot of a seal is Base64url, and is kept as the bytes that it stands for. They lie beside V8's heap, in
 * which texts of this size, with what comes and goes between them, leave holes that are never given back. Any other text stays
 * as it is.
 */
export function createPackedTexts(slabs: Slabs = createSlabs()): PackedTexts {
  const unpack = (packed: Packed): string => {
    if (typeof packed === 'string') return packed
    const { slab, at, length } = packed
    const body = at + 1 + (slab.bytes[at] ?? 0)
    return slab.bytes.toString('latin1', at + 1, body) + slab.bytes.toString('base64url', body, at + length)
  }

  return {
    pack(text) {
      const end = text.lastIndexOf('.') + 1
      if (text.length < worthIt || end > longestHead) return text
      const kept = slabs.keep(1 + end + Buffer.byteLength(text.slice(end), 'base64url'))
      const { slab, at, length } = kept
      slab.bytes[at] = end
      slab.bytes.write(text.slice(0, end), at + 1, 'latin1')
      slab.bytes.write(text.slice(end), at + 1 + end, length - 1 - end, 'base64url')
      // What is no seal, or is spelled otherwise, would come back as something else.
      if (unpack(kept) === text) return kept
      slabs.drop(kept)
      return text
    },
    unpack,
    drop(packed) {
      if (typeof packed !== 'string') slabs.drop(packed)
    },
  }
}

/** What it takes in memory. */
export function packedBytes(packed: Packed): number {
  return typeof packed === 'string' ? Buffer.byteLength(packed) : keptBytes(packed)
}
