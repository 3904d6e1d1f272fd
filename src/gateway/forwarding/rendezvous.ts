/**
 * The upstreams in the order in which they are this visitor's: the same in every process and replica. Where one leaves, only
 * its own visitors move (highest random weight).
 */
export function rendezvous<Upstream extends { readonly name: string }>(
  upstreams: readonly Upstream[],
  visitor: string,
): readonly Upstream[] {
  return upstreams
    .map((upstream) => ({ upstream, weight: hash(`${upstream.name} ${visitor}`) }))
    .sort((left, right) => right.weight - left.weight)
    .map(({ upstream }) => upstream)
}

/** FNV-1a, mixed at the end as MurmurHash3 does: it spreads, and needs not be hard to foresee. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
