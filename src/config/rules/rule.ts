import type { ConfigurationProblem } from '../../errors.js'
import type { Plan } from '../resolve/resolved.js'

/** One thing that has to hold between settings. Looks at what is there, also when other parts are broken. */
export type Rule = (plan: Plan) => Iterable<ConfigurationProblem>

export function problem(pointer: string, what: string, remedy: string): ConfigurationProblem {
  return { pointer, problem: what, remedy }
}

/** The entries that share something with an earlier one, each with that earlier one. */
export function* repeated<Entry>(
  entries: Iterable<Entry>,
  keyOf: (entry: Entry) => string,
): Generator<readonly [Entry, Entry]> {
  const seen = new Map<string, Entry>()
  for (const entry of entries) {
    const key = keyOf(entry)
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, entry)
    else yield [entry, earlier]
  }
}
