/** Of a set, each with its end. Most sets have one: a map of it would take more than all the rest of the record. */
export type Members = Lone | Map<string, number>

interface Lone {
  readonly member: string
  readonly until: number
}

export function untilOf(members: Members, member: string): number | undefined {
  if (members instanceof Map) return members.get(member)
  return members.member === member ? members.until : undefined
}

export function withMember(members: Members | undefined, member: string, until: number): Members {
  if (members === undefined) return { member, until }
  if (members instanceof Map) return members.set(member, until)
  return members.member === member ? { member, until } : new Map([...endsOf(members), [member, until]])
}

/** Undefined when there are none left. */
export function withoutMember(members: Members, member: string): Members | undefined {
  if (!(members instanceof Map)) return members.member === member ? undefined : members
  members.delete(member)
  return members.size === 0 ? undefined : members
}

/** The oldest first. */
export function endsOf(members: Members): Iterable<readonly [member: string, until: number]> {
  return members instanceof Map ? members : [[members.member, members.until]]
}
