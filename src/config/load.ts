import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import type { ListenerLimits } from '../http/listener-limits.js'
import { seconds } from './duration.js'
import { type Environment, override } from './environment.js'
import { freeze } from './freeze.js'
import { type ListenAddress, listenAddress } from './listen-address.js'
import {
  type AuthorizationServerConfiguration,
  authorizationServerConfiguration,
} from './options/authorization-server-options.js'
import { type GatewaySettings, gatewaySettings } from './options/gateway-options.js'
import { listenerLimits } from './options/listener-limits.js'
import { type SampleApiConfiguration, sampleApiConfiguration } from './options/sample-api-options.js'
import { isWithin } from './pointer.js'
import { type Plan, planOf, type TlsFiles, tlsFiles } from './resolve/resolved.js'
import { readOnlyStateDirectory, type StateDirectory, stateDirectory } from './resolve/state-directory.js'
import { productProblems } from './rules/product-checks.js'
import { rules } from './rules/rules.js'
import { checkStructure } from './schema/shape.js'
import { readSource, type Source, sourceOf } from './source.js'

/** A file and its environment, checked and complete: what the products are made from. */
export interface Configuration {
  readonly server: ServerSettings
  readonly store: StoreSettings
  /** 32 bytes each. The first one seals. */
  readonly sealingKeys: readonly Buffer[]
  readonly gateway: GatewaySettings | undefined
  readonly authorizationServer: AuthorizationServerConfiguration | undefined
  readonly sampleApi: SampleApiConfiguration | undefined
  /** Absolute. Holds what is made at first start. */
  readonly stateDirectory: string
  readonly plan: Plan
}

export interface ServerSettings {
  readonly listen: ListenAddress
  readonly tls: TlsFiles | undefined
  readonly adminListen: ListenAddress | undefined
  /** Processes that share the listeners. */
  readonly workers: number
  /** Seconds. */
  readonly drainTimeout: number
  readonly limits: ListenerLimits
  readonly accessLog: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export type StoreSettings =
  | { readonly kind: 'memory' }
  /** `timeout` is seconds. */
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string; readonly timeout: number }

/** A file, or what stands in one; paths of an object are relative to `directory`. */
export type ConfigurationSource = { readonly file: string } | { readonly value: object; readonly directory: string }

export type LoadOptions = ConfigurationSource & {
  readonly environment: Environment
  /** `look` makes nothing: keys that are not kept yet are made for the moment. Default: `keep`. */
  readonly state?: 'keep' | 'look'
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/**
 * Reads, checks and completes a configuration.
 * @throws ConfigurationError with everything that is wrong, in the order of the file.
 */
export function readConfiguration({ environment, state = 'keep', now, ...from }: LoadOptions): Configuration {
  const file = 'file' in from ? resolve(from.file) : undefined
  const directory = 'file' in from ? dirname(resolve(from.file)) : resolve(from.directory)
  const source = 'file' in from ? readSource(resolve(from.file)) : sourceOf(from.value)
  const context = { file, directory, environment, ...(now !== undefined && { now }) }
  if (source.value === undefined) throw new ConfigurationError(source.problems)
  const overridden = override(source.value, environment)
  const { settings, problems, broken } = checkStructure(overridden.value)
  const statePath = resolve(directory, settings.Server.StateDirectory)

  // Nothing is made or kept for a configuration that does not work.
  const plan = planOf(settings, { ...context, state: readOnlyStateDirectory(statePath) })
  const found = [...plan.problems, ...rules.flatMap((rule) => [...rule(plan)])].filter(
    ({ pointer }) => ![...broken].some((gone) => isWithin(pointer, gone)),
  )
  const all = [...source.problems, ...overridden.problems, ...problems, ...found]
  if (all.length > 0) throw new ConfigurationError(located(all, source, overridden.variables))
  const looked = configurationOf(plan, readOnlyStateDirectory(statePath))
  const refused = [...productProblems(looked)]
  if (refused.length > 0) throw new ConfigurationError(located(refused, source, overridden.variables))
  if (state === 'look') return looked
  const kept = stateDirectory(statePath)
  return configurationOf(planOf(settings, { ...context, state: kept }), kept)
}

function configurationOf(plan: Plan, state: StateDirectory): Configuration {
  const { settings, directory, redisUrl, sealingKeys } = plan
  const { Server, Store } = settings
  const keys = sealingKeys.map(({ text }) => text)
  const configuration: Configuration = {
    server: {
      listen: plan.listen,
      tls: tlsFiles(Server.Tls, directory),
      adminListen: Server.AdminListen === undefined ? undefined : listenAddress(Server.AdminListen),
      workers: Server.Workers,
      drainTimeout: seconds(Server.DrainTimeout),
      limits: listenerLimits(Server.Limits),
      accessLog: Server.AccessLog,
      logLevel: Server.LogLevel,
    },
    store:
      Store.Redis === undefined || redisUrl === undefined
        ? { kind: 'memory' }
        : { kind: 'redis', url: redisUrl, prefix: Store.Redis.Prefix, timeout: seconds(Store.Redis.Timeout) },
    sealingKeys: (keys.length > 0
      ? keys
      : [state.keep('sealing.key', () => randomBytes(32).toString('base64url'))]
    ).map((key) => Buffer.from(key, 'base64url')),
    gateway: gatewaySettings(plan),
    authorizationServer: authorizationServerConfiguration(plan),
    sampleApi: sampleApiConfiguration(plan),
    stateDirectory: plan.stateDirectory,
    plan,
  }
  return freeze(configuration)
}

/** Says where each problem is, and puts them in the order of the file; what the environment says comes last. */
function located(
  problems: readonly ConfigurationProblem[],
  source: Source,
  variables: ReadonlyMap<string, string>,
): ConfigurationProblem[] {
  const variableFor = (pointer: string): string | undefined =>
    [...variables].find(([set]) => isWithin(pointer, set))?.[1]
  const placed = problems.map((problem) => {
    const variable = problem.where === undefined ? variableFor(problem.pointer) : undefined
    return { ...problem, where: problem.where ?? variable ?? source.locate(problem.pointer) }
  })
  const offset = ({ pointer, where }: ConfigurationProblem): number =>
    where?.includes(':') ? source.offsetOf(pointer) : Number.MAX_SAFE_INTEGER
  const unique = new Map(placed.map((problem) => [`${problem.pointer} ${problem.problem}`, problem]))
  return [...unique.values()].sort((left, right) => offset(left) - offset(right))
}
