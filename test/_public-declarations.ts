import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Something that a program can import, as it stands in the package's declarations. */
export interface PublicDeclaration {
  /** `dpop-validator/adapters/koa.d.ts: protect` */
  readonly title: string
  readonly kind: 'class' | 'interface' | 'type' | 'function' | 'const'
  /** Empty: there is none. */
  readonly docstring: string
  /** Of an interface or a class: their names, with their docstrings. */
  readonly members: readonly (readonly [name: string, docstring: string])[]
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>
}

const comment = String.raw`\/\*\*(?:(?!\*\/)[\s\S])*\*\/`
const declaration = new RegExp(
  String.raw`^(?:(${comment})\n)?export (?:declare )?(?:abstract )?(class|interface|type|function|const) (\w+)([^\n]*(?:\n(?: |\}).*)*)`,
  'gm',
)
const member = new RegExp(
  String.raw`^ {4}(?:(${comment})\s*)?(?!#)(?:(?:readonly|get|static|declare) )*(\w+|\[\w+: \w+\])\??[:(<]`,
  'gm',
)
const from = /^export (type )?(?:\*|\{([^}]*)\}) from '([^']+)';/gm

/** What every entry of `exports` in package.json gives, each thing once. Read from what the compiler has written to `dist`. */
export async function publicDeclarations(): Promise<readonly PublicDeclaration[]> {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8')) as Manifest
  const found = new Map<string, PublicDeclaration>()
  const visit = async (file: string, isWanted: (name: string) => boolean, typesOnly: boolean): Promise<void> => {
    const text = await readFile(file, 'utf8')
    for (const [, docstring = '', kind = '', name = '', body = ''] of text.matchAll(declaration)) {
      const isType = kind === 'interface' || kind === 'type'
      if (!isWanted(name) || (typesOnly && !isType)) continue
      const title = `${file}: ${name}`
      const hasMembers = kind === 'interface' || kind === 'class'
      found.set(title, {
        title,
        kind: kind as PublicDeclaration['kind'],
        docstring,
        members: hasMembers
          ? [...body.matchAll(member)].map(([, own = '', called = '']) => [called, own] as const)
          : [],
      })
    }
    for (const [, onlyTypes, names, specifier = ''] of text.matchAll(from)) {
      const wanted = names?.split(',').map((one) => one.trim().replace(/^type /, ''))
      await visit(
        join(dirname(file), specifier.replace(/\.js$/, '.d.ts')),
        (name) => (wanted === undefined ? true : wanted.includes(name)),
        typesOnly || (onlyTypes !== undefined && wanted === undefined),
      )
    }
  }
  for (const entry of Object.values(exports)) if (typeof entry === 'object') await visit(entry.types, () => true, false)
  return [...found.values()]
}

/** The programs in the `@example` of a docstring. */
export function examplesOf({ docstring }: Pick<PublicDeclaration, 'docstring'>): readonly string[] {
  const text = docstring.replace(/^ *\*(?: |$)/gm, '')
  return [...text.matchAll(/@example\n```ts\n([\s\S]*?)```/g)].map(([, program = '']) => program)
}
