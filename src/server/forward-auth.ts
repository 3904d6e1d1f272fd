import type { RequestListener } from 'node:http'
import type { Configuration } from '../config/load.js'
import type { ForwardAuthConfiguration } from '../config/options/forward-auth-options.js'
import type { Store } from '../store/store.js'
import { type Listener, listen } from './listener.js'
import type { Serving } from './serving.js'

/** Below it are the addresses for API clients. */
const validatePath = '/validate'

/**
 * The listener that proxies ask. It is loaded where there is one.
 * @throws ConfigurationError when the address cannot be had
 */
export async function listenForQuestions(
  { listen: address, gateway, validate }: ForwardAuthConfiguration,
  serving: Serving,
  configuration: Configuration,
  store: Store,
): Promise<Listener> {
  const decides = await serving.gateway?.forwardAuth(gateway)
  const validates =
    validate && (await validatingOf(validate, gateway.trustedProxies, { serving, configuration, store }))
  return listen({
    pointer: '/Server/ForwardAuth/Listen',
    address,
    limits: configuration.server.limits,
    // A proxy asks for many, and who may ask is looked at for each question.
    isTrustedPeer: () => true,
    onRequest: (request, response) => {
      const { url = '' } = request
      if (validates !== undefined && url.startsWith(`${validatePath}/`)) {
        request.url = url.slice(validatePath.length)
        validates(request, response)
      } else if (decides !== undefined) decides(request, response)
      else response.writeHead(404).end()
    },
  })
}

interface Surroundings {
  readonly serving: Serving
  readonly configuration: Configuration
  readonly store: Store
}

async function validatingOf(
  validate: NonNullable<ForwardAuthConfiguration['validate']>,
  trustedProxies: readonly string[],
  { serving, configuration, store }: Surroundings,
): Promise<RequestListener> {
  const { createValidating } = await import('./validating.js')
  const { verifierHere } = await import('./verifier-here.js')
  const verifier = verifierHere(validate.verifier, {
    configuration,
    store,
    purpose: 'sallyport forward-auth nonces',
    authorizationServer: configuration.authorizationServer && (() => serving.authorizationServer()),
  })
  return createValidating({ ...validate, verifier }, trustedProxies)
}
