import { type Block, blocksOf, pages } from './_pages.js'
import { compilePrograms } from './_programs.js'
import { examplesOf, publicDeclarations } from './_public-declarations.js'

/** What a test has to know of the programs of one place. */
export interface ShownPrograms {
  /** What the compiler has to say of all programs; empty when all is well. */
  readonly problems: string
  /** Loads those of this place in one process. Rejects when one throws, or a `console.assert` does not hold. */
  load(environment?: NodeJS.ProcessEnv): Promise<unknown>
}

export const titleOf = ({ page, line, fence }: Block): string => `${page}:${line} (${fence})`

let compiled: ReturnType<typeof compileAll> | undefined

/** The programs of documents, or of docstrings. All are compiled in one go: it is the package that takes the time. */
export async function shownPrograms(place: 'documents' | 'docstrings'): Promise<ShownPrograms> {
  compiled ??= compileAll()
  const { programs, problems, load } = await compiled
  // What is for a browser is compiled only.
  const indices = programs.flatMap((one, index) =>
    one.place === place && !one.title.includes('/browser/') ? [index] : [],
  )
  return { problems, load: (environment) => load(indices, environment) }
}

async function compileAll() {
  const blocks = (await Promise.all(pages.map(blocksOf))).flat()
  const declarations = await publicDeclarations()
  const programs = [
    ...blocks
      .filter(({ fence }) => /^ts\b/.test(fence))
      .map((block) => ({ place: 'documents', title: titleOf(block), text: block.text })),
    ...declarations.flatMap((one) => examplesOf(one).map((text) => ({ place: 'docstrings', title: one.title, text }))),
  ]
  return { programs, ...(await compilePrograms(programs)) }
}
