/** A buffer of equal slots. */
export interface Slab {
  readonly bytes: Buffer
  readonly slotBytes: number
  /** Where slots begin that were given back. */
  readonly free: number[]
  /** From there on no slot was used yet. */
  fresh: number
  used: number
}

/** Where some bytes are: their slab, and which of its bytes. */
export interface Kept {
  readonly slab: Slab
  readonly at: number
  readonly length: number
}

/** Many small things of bytes in few buffers: one of its own takes 500 bytes beside what is in it. */
export interface Slabs {
  /** What is there is what was there before: the caller fills it. */
  keep(length: number): Kept
  /** The slot is another one's from then on, and a slab of which none is used goes back to the system. */
  drop(kept: Kept): void
}

const slabBytes = 256 * 1024

export function createSlabs(): Slabs {
  /** Those with room, by the size of their slots. */
  const roomy = new Map<number, Set<Slab>>()
  const withSlotsOf = (slotBytes: number): Set<Slab> => {
    const known = roomy.get(slotBytes)
    if (known !== undefined) return known
    const none = new Set<Slab>()
    roomy.set(slotBytes, none)
    return none
  }

  return {
    keep(length) {
      const slotBytes = slotBytesFor(length)
      const slabs = withSlotsOf(slotBytes)
      const [slab = createSlab(slotBytes)] = slabs
      const at = slab.free.pop() ?? slab.fresh
      if (at === slab.fresh) slab.fresh += slotBytes
      slab.used += 1
      if (hasRoom(slab)) slabs.add(slab)
      else slabs.delete(slab)
      return { slab, at, length }
    },
    drop({ slab, at }) {
      slab.free.push(at)
      slab.used -= 1
      const slabs = withSlotsOf(slab.slotBytes).add(slab)
      // One stays, for what comes and goes alone.
      if (slab.used === 0 && slabs.size > 1) slabs.delete(slab)
    },
  }
}

/** What it takes in memory. */
export function keptBytes({ slab }: Kept): number {
  return placeBytes + slab.slotBytes
}

/** What says where something is kept. Measured with Node 20. */
const placeBytes = 24

function createSlab(slotBytes: number): Slab {
  const slots = Math.max(1, Math.floor(slabBytes / slotBytes))
  return { bytes: Buffer.allocUnsafeSlow(slots * slotBytes), slotBytes, free: [], fresh: 0, used: 0 }
}

function hasRoom({ free, fresh, bytes }: Slab): boolean {
  return free.length > 0 || fresh < bytes.length
}

/** Sixteen sizes from each power of two to the next: at most a sixteenth of a slot is not used. */
function slotBytesFor(length: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(length)) - 4)
  return Math.ceil(length / step) * step
}
