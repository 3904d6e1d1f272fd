import { resolve } from 'node:path'
import type { ConfigurationProblem } from '../../errors.js'
import { isLoopback } from '../../http/loopback.js'
import type { Jwk } from '../../jose/jwk.js'
import type { Sliced } from '../../slices.js'
import type { Environment } from '../environment.js'
import type { ConfigurationFiles } from '../files.js'
import type { FrontendFile } from '../frontends-folder.js'
import type { ListenAddress } from '../listen-address.js'
import type { BffSettings } from '../schema/bff.js'
import type { Settings } from '../schema/schema.js'
import { socketAddress } from '../socket-address.js'
import { type AuditPlan, auditOf } from './audit.js'
import { type AuthorizationServerPlan, authorizationServerOf, portOf, serverOf } from './authorization-server.js'
import { clientsOf, type FrontendPlan, frontendsOf } from './frontend-plan.js'
import type { KnownKeys } from './known-keys.js'
import { type SampleApiPlan, sampleApiOf } from './sample-api.js'
import { createSecretReader, type SecretFile, type SecretReader } from './secrets.js'
import type { StateDirectory } from './state-directory.js'
import { type StorePlan, storeKeyFiles, storeOf } from './store.js'
import { type TlsFiles, tlsFiles, tlsKeyFiles } from './tls-files.js'

/** The settings thought to their end: what is left out has got its value, from the other parts of the file where it can. */
export interface Plan {
  readonly settings: Settings
  /** The configuration file. Absolute, as are the other paths here. Undefined for a configuration that comes from a program. */
  readonly file: string | undefined
  /** What relative paths start at. */
  readonly directory: string
  readonly stateDirectory: string
  /** Where the files that it names are read. */
  readonly files: ConfigurationFiles
  /** Private keys of clients. */
  readonly keys: KnownKeys
  /** Every file that a secret is read from, and private keys for TLS. */
  readonly secretFiles: readonly SecretFile[]
  readonly listen: ListenAddress
  /** Undefined: plain HTTP. */
  readonly tls: readonly TlsFiles[] | undefined
  readonly store: StorePlan
  readonly adminToken: string | undefined
  /** `Bff.HttpProxy.Url`. */
  readonly httpProxyUrl: string | undefined
  /** Undefined: there is none. */
  readonly audit: AuditPlan | undefined
  readonly sealingKeys: readonly SealingKeyPlan[]
  /** The one that signs assertions of identity, then the others that are published. */
  readonly assertionKeys: readonly Jwk[]
  readonly bff: BffSettings | undefined
  readonly frontends: readonly FrontendPlan[]
  /** Each frontend as each client that it is: at its authorization server, or at each of them. */
  readonly clients: readonly FrontendPlan[]
  readonly authorizationServer: AuthorizationServerPlan | undefined
  readonly sampleApi: SampleApiPlan | undefined
  /** Seconds since the epoch, when the plan was made. */
  readonly now: number
  /** Secrets that could not be read. */
  readonly problems: readonly ConfigurationProblem[]
}

export interface SealingKeyPlan {
  readonly pointer: string
  readonly text: string
}

export interface PlanContext {
  readonly file: string | undefined
  /** What relative paths are relative to. */
  readonly directory: string
  readonly environment: Environment
  readonly files: ConfigurationFiles
  readonly keys: KnownKeys
  /** Frontends that have a file of their own. */
  readonly frontendFiles: readonly FrontendFile[]
  readonly state: StateDirectory
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

export function* planOf(
  settings: Settings,
  { file, directory, environment, files, keys, frontendFiles, state, now = () => Date.now() / 1000 }: PlanContext,
): Sliced<Plan> {
  const secrets = createSecretReader({ directory, environment, source: files, keys })
  const listen = listenOf(settings, directory)
  const sampleApi = sampleApiOf(settings.Authentication, serverOf(settings)?.Issuer)
  const adminToken = secrets.text(settings.Server.AdminToken, '/Server/AdminToken')
  const httpProxyUrl = secrets.text(settings.Bff?.HttpProxy?.Url, '/Bff/HttpProxy/Url')
  const audit = auditOf(settings, directory, secrets)
  const sealingKeys = sealingKeysOf(settings, secrets)
  const assertionKeys = (settings.Bff?.AssertionKeys ?? []).flatMap((source, index): Jwk[] => {
    const key = secrets.privateJwk(source, `/Bff/AssertionKeys/${index}`)
    return key === undefined ? [] : [key]
  })
  const frontends = yield* frontendsOf({
    settings,
    server: serverOf(settings),
    secrets,
    directory,
    frontendFiles,
    state,
    listen,
    sampleApi,
    sealingKeys: sealingKeys.map(({ text }) => Buffer.from(text, 'base64url')).filter(({ length }) => length === 32),
  })
  const tls = tlsFiles(settings.Server.Tls, '/Server/Tls', directory)
  const store = storeOf(settings, directory, secrets)
  const context = { settings, secrets, directory, files, listen, frontends, sampleApi, tls }
  const authorizationServer = authorizationServerOf(context)
  return {
    settings,
    file,
    directory,
    stateDirectory: resolve(directory, settings.Server.StateDirectory),
    listen,
    tls,
    store,
    adminToken,
    httpProxyUrl,
    audit,
    sealingKeys,
    assertionKeys,
    bff: settings.Bff,
    frontends,
    clients: clientsOf(frontends),
    authorizationServer,
    sampleApi,
    now: now(),
    files,
    keys,
    secretFiles: [
      ...secrets.files,
      ...tlsKeyFiles([tls, authorizationServer?.tls, authorizationServer?.mutualTls?.ownTls], frontends),
      ...storeKeyFiles(store),
    ],
    problems: secrets.problems,
  }
}

function sealingKeysOf({ Bff }: Settings, secrets: SecretReader): readonly SealingKeyPlan[] {
  return (Bff?.SealingKeys ?? []).flatMap((source, index) => {
    const pointer = `/Bff/SealingKeys/${index}`
    const text = secrets.text(source, pointer)
    return text === undefined ? [] : [{ pointer, text }]
  })
}

function listenOf(settings: Settings, directory: string): ListenAddress {
  if (settings.Server.Listen !== undefined) return socketAddress(settings.Server.Listen, directory)
  const publicUrl = settings.Bff?.PublicUrl ?? settings.Bff?.Frontends.find(({ PublicUrl }) => PublicUrl)?.PublicUrl
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  return { host: '127.0.0.1', port: url !== undefined && isLoopback(url.hostname) ? portOf(url) : 3000 }
}
