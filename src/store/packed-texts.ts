import { createSlabs, type Kept, keptBytes, type Slabs } from './slabs.js'

/** A text as it is, or where its bytes are. */
export type Packed = string | PackedText

export interface PackedText extends Kept {
  /** Where the text is as well, while it is unpacked; 0: nowhere. */
  unpackedAt: number
}

/** Texts in three quarters of their memory, where they are seals. */
export interface PackedTexts {
  pack(text: string): Packed
  unpack(packed: Packed): string
  /** Its place is another one's from then on. */
  drop(packed: Packed): void
}

/** Below that there is little to be saved. */
const worthIt = 128

/**
 * Texts that are kept unpacked, the ones read last: a page makes its calls one after the other, and each reads the session. In a
 * ring, for a `Map` written to all the time leaves old tables behind, and with them texts, until the next full collection.
 */
const mostUnpacked = 256

/** The first byte of a packed text says how long its head is. */
const longestHead = 255

/**
 * What follows the last dot of a seal is Base64url, and is kept as the bytes that it stands for. They lie beside V8's heap, in
 * which texts of this size, with what comes and goes between them, leave holes that are never given back. Any other text stays
 * as it is.
 */
export function createPackedTexts(slabs: Slabs = createSlabs()): PackedTexts {
  const ring: ({ readonly packed: PackedText; readonly text: string } | undefined)[] = []
  let newest = 0
  const textOf = ({ slab, at, length }: Kept): string => {
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
      if (textOf(kept) === text) return { slab, at, length, unpackedAt: 0 }
      slabs.drop(kept)
      return text
    },
    unpack(packed) {
      if (typeof packed === 'string') return packed
      const known = ring[packed.unpackedAt]
      if (known !== undefined) return known.text
      const text = textOf(packed)
      newest = (newest % mostUnpacked) + 1
      const oldest = ring[newest]
      if (oldest !== undefined) oldest.packed.unpackedAt = 0
      ring[newest] = { packed, text }
      packed.unpackedAt = newest
      return text
    },
    drop(packed) {
      if (typeof packed === 'string') return
      if (packed.unpackedAt > 0) ring[packed.unpackedAt] = undefined
      slabs.drop(packed)
    },
  }
}

/** What it takes in memory. */
export function packedBytes(packed: Packed): number {
  return typeof packed === 'string' ? Buffer.byteLength(packed) : keptBytes(packed)
}
