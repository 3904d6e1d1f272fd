import type { z } from 'zod'
import type { ConfigurationProblem } from '../../errors.js'
import type { Sliced } from '../../slices.js'
import { didYouMean, isSlip } from '../did-you-mean.js'
import { isWithin, type Path, pointerOf } from '../pointer.js'
import { sectionOf } from './elsewhere.js'
import { fittingSettings } from './fitting-settings.js'
import { misfit } from './misfit.js'
import { missingMembers } from './missing-members.js'
import { otherWord } from './other-words.js'
import { jsonSchema, type Settings, settingsSchema } from './schema.js'
import { alternatives, schemaAt } from './schema-walk.js'

export interface Structure {
  /** Everything that is in order; what is not is as if it were left out. */
  readonly settings: Settings
  readonly problems: readonly ConfigurationProblem[]
  /** What was taken out: nothing more needs to be said about these. */
  readonly broken: ReadonlySet<string>
}

/** Compares with the schema. What does not fit is reported and taken out, so that the rules can look at the rest. */
export function* checkStructure(value: unknown): Sliced<Structure> {
  const fitting = yield* fittingSettings(value)
  if (fitting !== undefined) return { settings: fitting, problems: [], broken: new Set() }
  const problems: ConfigurationProblem[] = []
  const broken = new Set<string>()
  let rest: unknown = structuredClone(value)
  for (;;) {
    const result = settingsSchema.safeParse(rest)
    if (result.success) {
      for (const missing of missingMembers(result.data, jsonSchema, []))
        if (!broken.has(missing.pointer)) problems.push(missing)
      return { settings: result.data, problems, broken }
    }
    const misfits: Path[] = []
    const before = [...broken]
    // What is missing in its place is not another mistake.
    const isNew = (path: Path): boolean => !before.some((gone) => isWithin(pointerOf(path), gone))
    for (const issue of result.error.issues.flatMap(ofOneAlternative)) {
      const path = issue.path as Path
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys) {
          const { problem, meant } = unknownMember([...path, key])
          problems.push(problem)
          // The member that was meant is not missing as well.
          if (meant !== undefined) broken.add(pointerOf([...path, meant]))
          misfits.push([...path, key])
        }
      } else {
        if (isNew(path)) problems.push(misfit(issue, path, valueAt(rest, path), valueAt(rest, path.slice(0, -1))))
        const gone = removable(rest, path)
        broken.add(pointerOf(path)).add(pointerOf(gone))
        misfits.push(gone)
      }
    }
    rest = misfits.reduce(remove, rest)
  }
}

/** What is wrong with one form of a value that can have several, when only that one can be meant: an object, or a list. */
function ofOneAlternative(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.filter(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  )
  const [only] = meant
  if (only === undefined || meant.length > 1) return [issue]
  return only.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(ofOneAlternative)
}

function unknownMember(path: Path): { readonly problem: ConfigurationProblem; readonly meant: string | undefined } {
  const name = String(path.at(-1))
  const { remedy, meant } = nameMeant(name, path.slice(0, -1))
  return { problem: { pointer: pointerOf(path), problem: 'is not a known setting', remedy }, meant }
}

function nameMeant(name: string, section: Path): { readonly remedy: string; readonly meant?: string | undefined } {
  const known = membersAt(section)
  const near = didYouMean(name, known)
  // Also where another section has this very name: `Timeout`, written in a route, was meant to be its `Timeouts`.
  const isSlipOf = near !== undefined && isSlip(name, near)
  const word = isSlipOf ? undefined : otherWord(name, known)
  if (word !== undefined) return word
  const elsewhere = isSlipOf ? undefined : sectionOf(name, section)
  if (elsewhere !== undefined) return { remedy: `Write it in ${elsewhere}, where it is known.` }
  return near === undefined
    ? { remedy: `Known here: ${known.join(', ')}.` }
    : { remedy: `Did you mean "${near}"?`, meant: near }
}

function membersAt(path: Path): string[] {
  return alternatives(schemaAt(jsonSchema, path)).flatMap(({ properties = {} }) => Object.keys(properties))
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (holder, segment) =>
      typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[segment] : undefined,
    root,
  )
}

/**
 * What has to go so that the rest fits. Items of a list keep their number: an object gives way to an empty one, a list of
 * anything else goes as a whole; what is missing takes along what it is missing from.
 */
function removable(root: unknown, path: Path): Path {
  const [holder, last] = [valueAt(root, path.slice(0, -1)), path.at(-1)]
  if (last === undefined) return []
  const isThere = typeof holder === 'object' && holder !== null && Object.hasOwn(holder, last)
  const isItem = Array.isArray(holder)
  const staysAsEmpty = isItem && schemaAt(jsonSchema, path)?.type === 'object' && !isEmptyObject(holder[Number(last)])
  return isThere && (!isItem || staysAsEmpty) ? path : removable(root, path.slice(0, -1))
}

function remove(root: unknown, path: Path): unknown {
  const [holder, last] = [valueAt(root, path.slice(0, -1)), path.at(-1)]
  if (last === undefined) return {}
  if (Array.isArray(holder)) holder[Number(last)] = {}
  else if (typeof holder === 'object' && holder !== null) delete (holder as Record<string, unknown>)[last]
  return root
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
