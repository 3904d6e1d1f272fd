import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Environment } from '../../src/config/environment.js'
import { type Configuration, readConfiguration } from '../../src/config/load.js'
import { ConfigurationError, type ConfigurationProblem } from '../../src/errors.js'

/** A folder of its own for one test. */
export async function aFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes a configuration and gives the path of the file. */
export async function aFile(t: ExecutionContext, content: unknown): Promise<string> {
  const file = join(await aFolder(t), 'frontends.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  return file
}

export async function load(
  t: ExecutionContext,
  content: unknown,
  environment: Environment = {},
): Promise<Configuration> {
  return readConfiguration({ file: await aFile(t, content), environment })
}

export async function problemsOf(
  t: ExecutionContext,
  content: unknown,
  environment: Environment = {},
): Promise<readonly ConfigurationProblem[]> {
  const file = await aFile(t, content)
  try {
    readConfiguration({ file, environment })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

/** The three documents of the original's FAPI 2.0 page, merged; nothing changed but host names and key values. */
export async function theSeed({
  issuer = 'https://auth.example.com',
  application = 'https://app.example.com',
  publicJwk,
  privateJwk,
}: {
  readonly issuer?: string
  readonly application?: string
  readonly publicJwk: object
  readonly privateJwk: object
}): Promise<string> {
  const text = await readFile('test/config/_seed.json', 'utf8')
  const values = JSON.parse(text) as {
    OpenIddict: { Seeding: { Applications: { SigningKeyJwk: string }[] } }
    Bff: { Frontends: { ClientSigningKeyJwk: string }[] }
  }
  for (const registered of values.OpenIddict.Seeding.Applications) registered.SigningKeyJwk = JSON.stringify(publicJwk)
  for (const frontend of values.Bff.Frontends) frontend.ClientSigningKeyJwk = JSON.stringify(privateJwk)
  return JSON.stringify(values, null, 2)
    .replaceAll('https://auth.example.com', issuer)
    .replaceAll('https://app.example.com', application)
}
