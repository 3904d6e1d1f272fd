import type { AuthorizationServerOptions } from '../authorization-server/options.js'
import type { Environment } from '../config/environment.js'
import { readConfiguration } from '../config/load.js'
import type { GatewayOptions } from '../gateway/options.js'
import { openStore, productOptions } from './products.js'

/** A configuration, as what the `create…` functions take. Products that it does not name are undefined. */
export interface LoadedConfiguration {
  /** For `createGateway`. */
  readonly gateway: GatewayOptions | undefined
  /** For `createAuthorizationServer`. */
  readonly authorizationServer: AuthorizationServerOptions | undefined
  /** Closes the store that they share: after the products. */
  close(): Promise<void>
}

/** Where a configuration's secrets and files are looked for. */
export interface LoadConfigurationOptions {
  /** What `{ "Env": … }` and overrides such as `Bff__Authority` are read from. Default: `process.env`. */
  readonly environment?: Environment
  /** What relative paths of an object are relative to; those of a file are relative to it. Default: the working directory. */
  readonly directory?: string
}

/**
 * Reads a configuration as `sallyport start` does, for programs that embed the gateway: checked, completed, and with keys that
 * are not named made and kept in its `StateDirectory`. Listeners and workers (`Server`) are the program's own business.
 * @param source path of a file, or what stands in one
 * @throws ConfigurationError with everything that is wrong: JSON Pointer, problem, remedy
 * @throws UpstreamError when there is a Redis to connect to, and it does not answer
 * @example
 * ```ts
 * import { createGateway, loadConfiguration } from 'sallyport'
 *
 * export async function serve(file: string) {
 *   const { gateway: options, close } = await loadConfiguration(file)
 *   return { gateway: options && (await createGateway(options)), close }
 * }
 * ```
 */
export async function loadConfiguration(
  source: string | object,
  { environment = process.env, directory = process.cwd() }: LoadConfigurationOptions = {},
): Promise<LoadedConfiguration> {
  const configuration = readConfiguration({
    ...(typeof source === 'string' ? { file: source } : { value: source, directory }),
    environment,
  })
  const store = await openStore(configuration)
  const { gateway, authorizationServer } = productOptions(configuration, store)
  return { gateway, authorizationServer, close: () => store.close() }
}
