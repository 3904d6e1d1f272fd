import { createBoundedCache } from '../../store/bounded-cache.js'

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

/** Keeps what has been decided about a name: the same few come all the time, and the other end can make up any number. */
export function decidedOnce<Decision extends NonNullable<unknown>>(
  decide: (name: string) => Decision,
): (name: string) => Decision {
  const decided = createBoundedCache<Decision>(1000)
  return (name) => {
    const known = decided.get(name)
    if (known !== undefined) return known
    const decision = decide(name)
    if (name.length <= 64) decided.set(name, decision)
    return decision
  }
}
