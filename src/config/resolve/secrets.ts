import { resolve } from 'node:path'
import type { ConfigurationProblem } from '../../errors.js'
import { type Jwk, verificationKey } from '../../jose/jwk.js'
import type { Environment } from '../environment.js'
import type { ConfigurationFiles } from '../files.js'
import type { JwkSource, Secret } from '../schema/values.js'
import type { KnownKeys } from './known-keys.js'

/** Reads secrets from where the file says they are. What is wrong is reported; a value is in no message. */
export interface SecretReader {
  text(source: Secret | null | undefined, pointer: string): string | undefined
  /** A private signing key. */
  privateJwk(source: JwkSource | null | undefined, pointer: string): Jwk | undefined
  publicJwk(source: JwkSource | null | undefined, pointer: string): Jwk | undefined
  /** Of a certificate: of any kind that TLS has. What is wrong with it its product says. */
  certificateJwk(source: JwkSource, pointer: string): Jwk | undefined
  /** The same, for relative paths that start elsewhere. */
  from(directory: string): SecretReader
  readonly problems: readonly ConfigurationProblem[]
  /** Those that a secret was looked for in. */
  readonly files: readonly SecretFile[]
}

export interface SecretFile {
  /** Where the configuration names it. */
  readonly pointer: string
  /** Absolute. */
  readonly path: string
}

/** Its shape says what it is; its value is in no message. */
function noKey(value: string): [problem: string, remedy: string] {
  if (/^-----BEGIN /.test(value))
    return [
      'is PEM, and a JWK goes here',
      "Write it as a JWK: `node -p \"JSON.stringify(crypto.createPrivateKey(fs.readFileSync('key.pem')).export({format:'jwk'}))\"`.",
    ]
  if (/^[.~/\w-]+\.(?:jwk|json|key|pem)$/i.test(value) && !value.includes('\n'))
    return ['is the name of a file, not a JWK', 'Write {"File": "…"} with that name.']
  if (/\}\s*\n\s*\{/.test(value)) return ['holds more than one JWK', 'Keep one of them, by itself.']
  return ['is not a JWK', 'Write what `npx --no-install sallyport keygen` prints.']
}

export interface SecretReaderOptions {
  /** What relative paths start at. */
  readonly directory: string
  readonly environment: Environment
  readonly source: ConfigurationFiles
  readonly keys: KnownKeys
}

export function createSecretReader(
  { directory, environment, source, keys }: SecretReaderOptions,
  problems: ConfigurationProblem[] = [],
  files: SecretFile[] = [],
): SecretReader {
  /** Once, however many look there: the authorization servers of a frontend have what they leave out from one place. */
  const report = (pointer: string, problem: string, remedy: string): undefined => {
    if (!problems.some((known) => known.pointer === pointer && known.problem === problem))
      problems.push({ pointer, problem, remedy })
  }

  const text = (secret: Secret, pointer: string): string | undefined => {
    if (typeof secret === 'string') return secret
    if ('Env' in secret) {
      const value = environment[secret.Env]
      if (value) return value
      return report(`${pointer}/Env`, `names the variable ${secret.Env}, which is not set`, `Set ${secret.Env}.`)
    }
    const path = resolve(directory, secret.File)
    if (!files.some((known) => known.pointer === `${pointer}/File`)) files.push({ pointer: `${pointer}/File`, path })
    try {
      const value = source.read(path).toString('utf8').trim()
      return value || report(`${pointer}/File`, `names ${secret.File}, which is empty`, 'Put the secret there.')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const why = code === 'ENOENT' ? 'is not there' : code === 'EISDIR' ? 'is a folder' : 'cannot be read'
      const remedy =
        code === 'EISDIR'
          ? 'Name the file in it.'
          : code === 'EACCES'
            ? 'Let the user that runs sallyport read it.'
            : `Relative paths start at ${directory}.`
      return report(`${pointer}/File`, `names ${secret.File}, which ${why}`, remedy)
    }
  }

  const jwk = (given: JwkSource, pointer: string): Jwk | undefined => {
    if (typeof given === 'object' && 'kty' in given) return given as Jwk
    const value = text(given as Secret, pointer)
    if (value === undefined) return undefined
    try {
      const parsed: unknown = JSON.parse(value)
      if (typeof parsed === 'object' && parsed !== null && 'keys' in parsed)
        return report(pointer, 'is a key set, and one key goes here', 'Write one of the keys in it, by itself.')
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Jwk
    } catch {
      // The cause would quote the key.
    }
    return report(pointer, ...noKey(value))
  }

  return {
    problems,
    files,
    from: (other) => createSecretReader({ directory: other, environment, source, keys }, problems, files),
    text: (secret, pointer) => (secret === null || secret === undefined ? undefined : text(secret, pointer)),

    privateJwk(given, pointer) {
      const key = given === null || given === undefined ? undefined : jwk(given, pointer)
      if (key === undefined) return undefined
      const fault = keys.fault(key)
      return fault === undefined ? key : report(pointer, ...fault)
    },

    certificateJwk: jwk,

    publicJwk(given, pointer) {
      const key = given === null || given === undefined ? undefined : jwk(given, pointer)
      if (key === undefined) return undefined
      try {
        verificationKey(key)
        return key
      } catch (error) {
        return report(
          pointer,
          (error as Error).message,
          'Write the public JWK that `npx --no-install sallyport keygen` prints. A private key stays with the client.',
        )
      }
    },
  }
}
