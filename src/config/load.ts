import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import { atOnce, type Sliced } from '../slices.js'
import type { Configuration } from './configuration.js'
import { seconds } from './duration.js'
import { type Environment, override } from './environment.js'
import { type ConfigurationFiles, createFiles } from './files.js'
import { freeze } from './freeze.js'
import { withFrontendsFolder } from './frontends-folder.js'
import { listenAddress } from './listen-address.js'
import { located, type Places } from './located.js'
import { auditSettings } from './options/audit-options.js'
import { authorizationServerConfiguration } from './options/authorization-server-options.js'
import { certificatesOf } from './options/certificates.js'
import { forwardAuthConfiguration } from './options/forward-auth-options.js'
import { gatewaySettings } from './options/gateway-options.js'
import { listenerLimits } from './options/listener-limits.js'
import { sampleApiConfiguration } from './options/sample-api-options.js'
import { storeSettings } from './options/store-options.js'
import { pinned } from './pinned.js'
import { isWithin } from './pointer.js'
import { createKnownKeys } from './resolve/known-keys.js'
import { type Plan, type PlanContext, planOf } from './resolve/resolved.js'
import { readOnlyStateDirectory, type StateDirectory, stateDirectory } from './resolve/state-directory.js'
import { productProblems } from './rules/product-checks.js'
import { rules } from './rules/rules.js'
import type { Settings } from './schema/schema.js'
import { checkStructure } from './schema/shape.js'
import { readSource, sourceOf } from './source.js'

export type { Configuration } from './configuration.js'

/** A file, or what stands in one; paths of an object are relative to `directory`. */
export type ConfigurationSource = { readonly file: string } | { readonly value: object; readonly directory: string }

export type LoadOptions = ConfigurationSource & {
  readonly environment: Environment
  /** `look` makes nothing: keys that are not kept yet are made for the moment. Default: `keep`. */
  readonly state?: 'keep' | 'look'
  /** Default: the disk. */
  readonly files?: ConfigurationFiles
  /** For a process that runs: with what it cannot change as it is. */
  readonly running?: Configuration
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/**
 * Reads, checks and completes a configuration.
 * @throws ConfigurationError with everything that is wrong, in the order of the file.
 */
export function readConfiguration(options: LoadOptions): Configuration {
  return atOnce(readingConfiguration(options))
}

/** The same, for a process that serves meanwhile. */
export function* readingConfiguration({
  environment,
  state = 'keep',
  now,
  files = createFiles(),
  running,
  ...from
}: LoadOptions): Sliced<Configuration> {
  const file = 'file' in from ? resolve(from.file) : undefined
  const directory = file === undefined ? resolve((from as { directory: string }).directory) : dirname(file)
  const source = 'file' in from ? readSource(resolve(from.file), files) : sourceOf(from.value)
  if (source.value === undefined) throw new ConfigurationError(source.problems)
  const overridden = override(source.value, environment)
  const whole = yield* withFrontendsFolder(overridden.value, directory, files)
  const places = { source, frontendFiles: whole.files, variables: overridden.variables }
  const context = {
    file,
    directory,
    environment,
    files,
    keys: createKnownKeys(running?.plan.keys),
    frontendFiles: whole.files,
    ...(now !== undefined && { now }),
  }
  const structure = yield* checkStructure(whole.value)
  const { settings } = structure
  const problems = structure.problems.filter(({ pointer }) => !whole.broken.some((gone) => isWithin(pointer, gone)))
  const broken = new Set([...structure.broken, ...whole.broken])
  const written = [...source.problems, ...overridden.problems, ...whole.problems, ...problems]

  const next = yield* completed(settings, context, { written, broken, places })
  if (running === undefined) return state === 'look' ? next.configuration : yield* keep(next, context)
  const { settings: possible, kept } = pinned(next.configuration, running)
  const best = kept.length === 0 ? next : yield* completed(possible, context, { written, broken, places })
  return { ...(yield* keep(best, context)), store: running.store, kept: located(kept, places) }
}

interface Checked {
  readonly written: readonly ConfigurationProblem[]
  readonly broken: ReadonlySet<string>
  readonly places: Places
}

interface Completed {
  readonly configuration: Configuration
  /** Whether it needs something that is made once and kept, and is not there yet. */
  readonly isForTheMoment: boolean
}

/** Nothing is made or kept for a configuration that does not work. */
function* completed(
  settings: Settings,
  context: Omit<PlanContext, 'state'>,
  { written, broken, places }: Checked,
): Sliced<Completed> {
  const state = readOnlyStateDirectory(resolve(context.directory, settings.Server.StateDirectory))
  const plan = yield* planOf(settings, { ...context, state })
  const problems = [...plan.problems]
  for (const rule of rules) {
    problems.push(...rule(plan))
    yield
  }
  const found = problems.filter(({ pointer }) => ![...broken].some((gone) => isWithin(pointer, gone)))
  const all = [...written, ...found]
  if (all.length > 0) throw new ConfigurationError(located(all, places))
  const configuration = yield* configurationOf(plan, state)
  const refused = yield* productProblems(configuration)
  if (refused.length > 0) throw new ConfigurationError(located(refused, places))
  return { configuration, isForTheMoment: state.hasMade() }
}

function* keep(
  { configuration, isForTheMoment }: Completed,
  context: Omit<PlanContext, 'state'>,
): Sliced<Configuration> {
  if (!isForTheMoment) return configuration
  const state = stateDirectory(configuration.stateDirectory)
  return yield* configurationOf(yield* planOf(configuration.plan.settings, { ...context, state }), state)
}

function* configurationOf(plan: Plan, state: StateDirectory): Sliced<Configuration> {
  const { Server } = plan.settings
  const keys = plan.sealingKeys.map(({ text }) => text)
  const sealingKeys = (
    keys.length > 0 ? keys : [state.keep('sealing.key', () => randomBytes(32).toString('base64url'))]
  ).map((key) => Buffer.from(key, 'base64url'))
  const configuration: Configuration = {
    server: {
      listen: plan.listen,
      tls: certificatesOf(plan.tls, plan.files),
      proxyProtocol: Server.ProxyProtocol === 'V2' ? 'v2' : 'none',
      adminListen: Server.AdminListen === undefined ? undefined : listenAddress(Server.AdminListen),
      adminToken: plan.adminToken,
      forwardAuth: forwardAuthConfiguration(plan),
      workers: Server.Workers,
      drainDelay: seconds(Server.DrainDelay),
      drainTimeout: seconds(Server.DrainTimeout),
      storeGrace: Server.StoreGrace === undefined ? undefined : seconds(Server.StoreGrace),
      limits: listenerLimits(Server.Limits),
      audit: auditSettings(plan, sealingKeys[0] ?? Buffer.alloc(0)),
      accessLog: Server.AccessLog,
      watch: Server.Watch,
      logLevel: Server.LogLevel,
    },
    store: storeSettings(plan.store, plan.files),
    sealingKeys,
    gateway: yield* gatewaySettings(plan),
    authorizationServer: authorizationServerConfiguration(plan),
    sampleApi: sampleApiConfiguration(plan),
    stateDirectory: plan.stateDirectory,
    plan,
    kept: [],
  }
  return freeze(configuration)
}
