import leven from 'leven'

/** The candidate that was probably meant: the same but for case and punctuation, or a third of its letters at most away. */
export function didYouMean(given: string, candidates: readonly string[]): string | undefined {
  const bare = plain(given)
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: leven(bare, plain(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((left, right) => left.distance - right.distance)
  return nearest?.candidate
}

/** One letter too many, too few or wrong, or only case and punctuation. */
export function isSlip(given: string, meant: string): boolean {
  return leven(plain(given), plain(meant)) <= 1
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 64)
}
