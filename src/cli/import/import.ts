import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSource } from '../../config/source.js'
import { ConfigurationError } from '../../errors.js'
import { type Output, printed } from '../report.js'
import type { Imported, Note } from './imported.js'

export type ImportKind = 'granit' | 'duende' | 'oauth2-proxy'

export interface ImportOptions {
  readonly kind: ImportKind
  /** Of the other program. */
  readonly file: string
  /** What is written. */
  readonly out: string
  /** For what a person has to know. Default: standard error. */
  readonly output?: Output
}

/** `sallyport import`: writes a configuration that does what another program's does, and names what it does not. */
export async function importConfiguration({
  kind,
  file,
  out,
  output = process.stderr,
}: ImportOptions): Promise<Imported> {
  const imported = await translated(kind, file)
  const keys = dirname(out)
  const secrets = [
    { file: 'keys/sealing.key', content: randomBytes(32).toString('base64url') },
    ...imported.secrets,
  ].map(({ file: name, content }) => ({ path: join(keys, name), content }))
  for (const path of [out, ...secrets.map((secret) => secret.path)])
    if (existsSync(path)) throw new Error(`${path} is there already, and was left alone. Name another file with --out`)
  if (new Set(secrets.map(({ path }) => path)).size < secrets.length)
    throw new Error(`two frontends of ${file} would have one name here: give one of them another`)
  mkdirSync(join(keys, 'keys'), { recursive: true, mode: 0o700 })
  for (const { path, content } of secrets) writeFileSync(path, `${content}\n`, { mode: 0o600, flag: 'wx' })
  writeFileSync(out, textOf(imported, kind), { flag: 'wx' })
  for (const path of [out, ...secrets.map((secret) => secret.path)])
    output.write(`made ${relative('.', path) || path}\n`)
  output.write(
    `\n${notesText(imported.notes).join('\n')}\n\nNext: npx --no-install sallyport check --offline --config ${out}\n`,
  )
  return imported
}

async function translated(kind: ImportKind, file: string): Promise<Imported> {
  const text = read(file)
  if (kind === 'oauth2-proxy') {
    const { importOAuth2Proxy } = await import('./oauth2-proxy.js')
    return importOAuth2Proxy(text)
  }
  const { value, problems } = parseSource(text.replace(/^\ufeff/, ''), file)
  if (value === undefined || problems.length > 0) throw new ConfigurationError(problems)
  if (kind === 'granit') {
    const { importGranit } = await import('./granit.js')
    return importGranit(value)
  }
  const { importDuende } = await import('./duende.js')
  return importDuende(value)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no code'})`)
  }
}

/** The configuration, with what a person has to know above it: it is still there when the terminal is closed. */
function textOf({ settings, notes }: Imported, kind: ImportKind): string {
  const bff = settings.Bff as Readonly<Record<string, unknown>>
  const { Frontends, ...general } = bff
  const whole = {
    $schema: './node_modules/sallyport/frontends.schema.json',
    ...settings,
    Bff: { ...general, SealingKeys: [{ File: './keys/sealing.key' }], Frontends },
  }
  const comments = [`Written by: sallyport import ${kind}`, '', ...notesText(notes)].map((line) =>
    `// ${line}`.trimEnd(),
  )
  return `${comments.join('\n')}\n${JSON.stringify(whole, null, 2)}\n`
}

const titles: Readonly<Record<Note['kind'], string>> = {
  missing: 'Fill in:',
  dropped: 'Not taken over:',
  changed: 'Different from now on:',
}

function notesText(notes: readonly Note[]): string[] {
  return (['missing', 'dropped', 'changed'] as const).flatMap((kind) => {
    const own = notes.filter((note) => note.kind === kind)
    if (own.length === 0) return []
    // A name in a file of someone else may hold what ends a comment.
    return [titles[kind], ...own.map(({ setting, text }) => printed(`  ${setting}: ${text}`).replaceAll('\n', ' '))]
  })
}
