/**
 * Of a set, with their ends. Most sets have one, which ends when the set does: a map of it would take more than all the rest of
 * the record.
 */
export interface Members {
  members: string | Map<string, number>
  /** When the last of them ends, in seconds since the epoch. */
  expiresAt: number
}

export function untilOf({ members, expiresAt }: Members, member: string): number | undefined {
  if (members instanceof Map) return members.get(member)
  return members === member ? expiresAt : undefined
}

/** Later than before, where it is in the set already. */
export function addMember(set: Members, member: string, expiresAt: number): void {
  const until = Math.max(untilOf(set, member) ?? 0, expiresAt)
  if (set.members instanceof Map) set.members.set(member, until)
  else if (set.members !== member) set.members = new Map([...endsOf(set), [member, until]])
  set.expiresAt = Math.max(set.expiresAt, until)
}

/** False when that leaves none. */
export function leavesOthers({ members }: Members, member: string): boolean {
  if (!(members instanceof Map)) return members !== member
  members.delete(member)
  return members.size > 0
}

/** The oldest first. */
export function endsOf({ members, expiresAt }: Members): Iterable<readonly [member: string, until: number]> {
  return members instanceof Map ? members : [[members, expiresAt]]
}
