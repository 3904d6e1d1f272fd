import type { ConfigurationProblem } from '../../errors.js'

/** Collects what is wrong with options, so that all of it is told at once. */
export interface OptionChecks {
  readonly problems: readonly ConfigurationProblem[]
  wrong(pointer: string, problem: string, remedy: string): void
  /** Members of a section that are none of `names`. */
  known(pointer: string, section: object, names: readonly string[]): void
  choice<Choice extends string>(
    pointer: string,
    value: Choice | undefined,
    all: readonly Choice[],
    fallback: Choice,
  ): Choice
  number(pointer: string, value: number | undefined, fallback: number, range: Range): number
  /** The numbers of a section, complete. @param others members that are none of them */
  numbers<Name extends string>(
    pointer: string,
    section: NoInfer<Readonly<Partial<Record<Name, number>>>> | undefined,
    defaults: Readonly<Record<Name, number>>,
    ranges: Readonly<Record<Name, Range>>,
    others?: readonly string[],
  ): Readonly<Record<Name, number>>
  /** What throws where an option cannot be used. */
  usable(pointer: string, remedy: string, check: () => unknown): void
}

/** The least and the most. */
export type Range = readonly [least: number, most: number]

export function createOptionChecks(): OptionChecks {
  const problems: ConfigurationProblem[] = []
  const checks: OptionChecks = {
    problems,

    wrong(pointer, problem, remedy) {
      problems.push({ pointer, problem, remedy })
    },

    known(pointer, section, names) {
      for (const name of Object.keys(section))
        if (!names.includes(name)) checks.wrong(`${pointer}/${name}`, 'is not a known option', 'Check its spelling.')
    },

    choice(pointer, value, all, fallback) {
      if (value === undefined) return fallback
      if (all.includes(value)) return value
      checks.wrong(pointer, 'is not one of its values', `Write ${all.join(', ')}.`)
      return fallback
    },

    number(pointer, value, fallback, [least, most]) {
      if (value === undefined) return fallback
      if (typeof value === 'number' && value >= least && value <= most) return value
      checks.wrong(pointer, `is not a number from ${least} to ${most}`, `Leave it out for ${fallback}.`)
      return fallback
    },

    numbers(pointer, section, defaults, ranges, others = []) {
      const names = Object.keys(defaults) as (keyof typeof defaults)[]
      checks.known(pointer, section ?? {}, [...names, ...others])
      const complete = names.map((name) => [
        name,
        checks.number(`${pointer}/${name}`, section?.[name], defaults[name], ranges[name]),
      ])
      return Object.fromEntries(complete)
    },

    usable(pointer, remedy, check) {
      try {
        check()
      } catch (error) {
        checks.wrong(pointer, error instanceof Error ? error.message : 'cannot be used', remedy)
      }
    },
  }
  return checks
}
