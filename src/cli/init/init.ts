import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { hashPassword } from '../../authorization-server/sign-in/password.js'
import { isLoopback } from '../../http/loopback.js'
import { generateSigningJwk, publicHalf, type SignatureAlgorithm } from '../../jose/jwk.js'
import type { InitApplication, InitChoices } from './choices.js'
import { type ConfigurationParts, type Ports, withAuthority, withEmbeddedServer } from './configuration-text.js'
import { fitFor, presumedFit, type ServerFit } from './server-fit.js'
import { startingPage, startingScript } from './starting-page.js'

export interface InitResult {
  readonly created: readonly string[]
  /** What was there already and was left alone. */
  readonly kept: readonly string[]
  /** Where a browser finds the gateway. */
  readonly url: string
  /** Of the user that was made with the embedded server. Shown once, and kept nowhere. */
  readonly password?: string
  /** What the authorization server lacks, and what that costs. */
  readonly lacks: readonly string[]
}

/** Writes a configuration to start from, with fresh keys. Never over a file that is there. */
export async function initialise(
  folder: string,
  choices: InitChoices = { server: { kind: 'none' } },
): Promise<InitResult> {
  const created: string[] = []
  const kept: string[] = []
  const write = (name: string, content: string, mode: number): boolean => {
    const path = join(folder, name)
    const isNew = !existsSync(path)
    if (isNew) {
      mkdirSync(join(path, '..'), { recursive: true, mode: name.startsWith('keys/') ? 0o700 : 0o777 })
      writeFileSync(path, content, { mode, flag: 'wx' })
    }
    ;(isNew ? created : kept).push(name)
    return isNew
  }
  const parts = partsOf(folder, choices)
  const { server } = choices
  const fit =
    server.kind === 'embedded'
      ? undefined
      : server.kind === 'none'
        ? presumedFit('https://auth.example.com')
        : await fitFor(server.authority)

  if (fit !== undefined) writeCredential(fit, write)
  write('keys/sealing.key', `${randomBytes(32).toString('base64url')}\n`, 0o600)
  if (choices.application === undefined && write('spa/index.html', startingPage, 0o644))
    write('spa/start.js', startingScript, 0o644)
  const password = server.kind === 'embedded' ? (server.user.password ?? randomBytes(9).toString('base64url')) : ''
  const text =
    server.kind === 'embedded'
      ? withEmbeddedServer(parts, server.user, await hashPassword(password))
      : withAuthority(parts, fit ?? presumedFit(''))
  const isMade = write('frontends.json', text, 0o644)
  write('.gitignore', 'keys/\n.sallyport/\nnode_modules/\n', 0o644)
  const isShown = isMade && server.kind === 'embedded' && server.user.password === undefined
  return {
    created,
    kept,
    url: `http://localhost:${parts.ports.gateway}`,
    lacks: fit?.lacks ?? [],
    ...(isShown && { password }),
  }
}

type Write = (name: string, content: string, mode: number) => boolean

function writeCredential({ clientAuthentication, algorithm }: ServerFit, write: Write): void {
  if (clientAuthentication !== 'PrivateKeyJwt') {
    write('keys/client.secret', 'put the client secret of your authorization server here\n', 0o600)
    return
  }
  const { privateKey, publicKey } = clientKey(algorithm)
  if (write('keys/client.jwk', privateKey, 0o600)) write('keys/client.public.jwk', publicKey, 0o644)
}

function clientKey(algorithm: SignatureAlgorithm): { readonly privateKey: string; readonly publicKey: string } {
  const jwk = generateSigningJwk(algorithm)
  return { privateKey: `${JSON.stringify(jwk)}\n`, publicKey: `${JSON.stringify(publicHalf(jwk))}\n` }
}

/** Whether a folder can be served as it is. */
export function hasPage(folder: string): boolean {
  return statSync(join(folder, 'index.html'), { throwIfNoEntry: false })?.isFile() === true
}

function partsOf(folder: string, { application, api }: InitChoices): ConfigurationParts {
  return {
    ports: freePorts([application?.kind === 'development server' ? application.url : undefined, api]),
    application: placeOf(folder, application),
    api,
  }
}

function placeOf(folder: string, application: InitApplication | undefined): ConfigurationParts['application'] {
  if (application === undefined) return { kind: 'folder', path: './spa' }
  if (application.kind === 'development server') return { kind: application.kind, origin: application.url.origin }
  const path = relative(resolve(folder), resolve(application.path)).replaceAll('\\', '/')
  return { kind: 'folder', path: path.startsWith('.') ? path : `./${path}` }
}

/** Ports beside those of the user's own servers on this machine: many a development server has 3000 too. */
function freePorts(others: readonly (URL | undefined)[]): Ports {
  const taken = others.flatMap((url) => (url !== undefined && isLoopback(url.hostname) ? [Number(url.port)] : []))
  const [gateway = 3000] = [3000, 4000, 5000].filter((port) => !taken.includes(port) && !taken.includes(port + 1))
  return { gateway, issuer: gateway + 1, admin: 9464 }
}
