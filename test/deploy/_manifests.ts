import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parseAllDocuments } from 'yaml'

export const run = promisify(execFile)

/** A Kubernetes object, loosely: its schema says what it may be. */
// biome-ignore lint/suspicious/noExplicitAny: the schema is checked by a validator.
export type Manifest = any

/** Where a program is, or undefined where it is not installed. Debian's nginx and haproxy are not in every user's PATH. */
export async function installed(program: string): Promise<string | undefined> {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }
  return run('which', [program], { env }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
}

export function documentsIn(text: string): Manifest[] {
  return parseAllDocuments(text, { merge: true }).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS() ?? []
  })
}

/** Made only from what the Kubernetes API server publishes: `schemas/kubernetes.json` says of which version. */
export async function kubernetesSchema(): Promise<{
  readonly kinds: Readonly<Record<string, string>>
  readonly definitions: object
}> {
  return JSON.parse(await readFile('test/deploy/schemas/kubernetes.json', 'utf8'))
}

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
const { kinds, definitions } = await kubernetesSchema()
ajv.addSchema({ definitions }, 'kubernetes')

/** What is wrong with it in the words of the schema; undefined when nothing is. */
export function problemsOfManifest(manifest: Manifest): string | undefined {
  const name = kinds[manifest.kind]
  if (name === undefined) return `${manifest.kind} is of no kind that is known here`
  return problems(`kubernetes#/definitions/${name}`, manifest)
}

export async function problemsOfCompose(file: unknown): Promise<string | undefined> {
  ajv.addSchema(JSON.parse(await readFile('test/deploy/schemas/compose-spec.json', 'utf8')), 'compose')
  return problems('compose', file)
}

function problems(schema: string, value: unknown): string | undefined {
  return ajv.validate(schema, value) ? undefined : ajv.errorsText(ajv.errors)
}
