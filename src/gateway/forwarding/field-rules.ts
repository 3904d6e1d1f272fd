/** Header fields that are decided alike. */
export interface FieldRule {
  /** Names in lower case with spaces between them. `*` is any number of characters, also none. */
  readonly fields: string
  readonly because: string
}

/** Whether one of the rules covers a name in lower case. */
export function coveredBy(rules: readonly FieldRule[]): (name: string) => boolean {
  const patterns = rules.flatMap(({ fields }) => fields.trim().split(/\s+/)).map((field) => field.replaceAll('*', '.*'))
  const covered = new RegExp(`^(?:${patterns.join('|')})$`)
  return (name) => covered.test(name)
}

/** Names kept with what was decided about them. */
const capacity = 1000

/**
 * Keeps what has been decided about a name: the same few come all the time. The other end can make up any number of them:
 * then it begins anew, so that the usual ones are soon there again.
 */
export function decidedOnce<Decision>(decide: (name: string) => Decision): (name: string) => Decision {
  const decided = new Map<string, Decision>()
  return (name) => {
    const known = decided.get(name)
    if (known !== undefined) return known
    const decision = decide(name)
    if (name.length > 64) return decision
    if (decided.size >= capacity) decided.clear()
    decided.set(name, decision)
    return decision
  }
}
