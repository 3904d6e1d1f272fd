import type { ConfigurationProblem } from '../errors.js'
import { type FrontendFile, inTheirFiles } from './frontends-folder.js'
import { isWithin } from './pointer.js'
import type { Source } from './source.js'

/** Where settings are written. */
export interface Places {
  readonly source: Source
  /** Frontends that have a file of their own. */
  readonly frontendFiles: readonly FrontendFile[]
  /** JSON Pointer → the environment variable that set it. */
  readonly variables: ReadonlyMap<string, string>
}

/** Says where each problem is, and puts them in the order of the files; what the environment says comes last. */
export function located(
  problems: readonly ConfigurationProblem[],
  { source, frontendFiles, variables }: Places,
): ConfigurationProblem[] {
  const variableFor = (pointer: string): string | undefined =>
    [...variables].find(([set]) => isWithin(pointer, set))?.[1]
  const placed = problems.map((problem) => {
    const variable = problem.where === undefined ? variableFor(problem.pointer) : undefined
    const where = problem.where ?? variable
    const said = inTheirFiles({ ...problem, ...(where !== undefined && { where }) }, frontendFiles)
    return { said: { ...said, where: said.where ?? source.locate(problem.pointer) }, pointer: problem.pointer }
  })
  const offset = ({ said, pointer }: (typeof placed)[number]): number => {
    if (!said.where.includes(':')) return Number.MAX_SAFE_INTEGER
    // Below the setting that they are entries of, one file after the other.
    return said.pointer === pointer ? source.offsetOf(pointer) : source.offsetOf('/Bff/FrontendsFolder')
  }
  const unique = new Map(placed.map((one) => [`${one.pointer} ${one.said.problem}`, one]))
  return [...unique.values()].sort((left, right) => offset(left) - offset(right)).map(({ said }) => said)
}
