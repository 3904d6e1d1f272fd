import type { RequestListener } from 'node:http'
import type { Configuration } from '../config/load.js'
import type { ForwardAuthConfiguration } from '../config/options/forward-auth-options.js'
import { isSameOptions } from '../gateway/reload/same-options.js'
import type { Store } from '../store/store.js'
import { type Listener, listen } from './listener.js'
import type { Serving } from './serving.js'

/** Below it are the addresses for API clients. */
const validatePath = '/validate'

/** The listener that proxies ask. */
export interface Questions {
  readonly listener: Listener
  /** Makes the validator of another configuration ready. @returns puts it in the place of this one */
  prepare(next: Configuration): () => void
}

/**
 * It is loaded where there is one.
 * @throws ConfigurationError when the address cannot be had
 */
export async function listenForQuestions(
  { listen: address, gateway, validate }: ForwardAuthConfiguration,
  serving: Serving,
  configuration: Configuration,
  store: Store,
): Promise<Questions> {
  const decides = await serving.gateway?.forwardAuth(gateway)
  const validatingOf = validate && (await validatingAt(serving, store))
  let current = configuration
  let validates = validatingOf?.(configuration)
  const listener = await listen({
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
  return {
    listener,
    prepare(next) {
      // As long as it is the same, so are the proofs that it has seen.
      const nextValidates = isSameOptions(validatedBy(current), validatedBy(next)) ? validates : validatingOf?.(next)
      return () => {
        current = next
        validates = nextValidates
      }
    },
  }
}

/** What a validator depends on that a reload can change. */
function validatedBy({ server, sealingKeys, plan }: Configuration) {
  return { validate: server.forwardAuth?.validate, sealingKeys, issuedHere: plan.authorizationServer?.settings.Issuer }
}

async function validatingAt(
  serving: Serving,
  store: Store,
): Promise<(configuration: Configuration) => RequestListener | undefined> {
  const { createValidating } = await import('./validating.js')
  const { verifierHere } = await import('./verifier-here.js')
  return (configuration) => {
    const { gateway, validate } = configuration.server.forwardAuth ?? {}
    if (gateway === undefined || validate === undefined) return undefined
    const verifier = verifierHere(validate.verifier, {
      configuration,
      store,
      purpose: 'sallyport forward-auth nonces',
      authorizationServer: configuration.authorizationServer && (() => serving.authorizationServer()),
    })
    return createValidating({ ...validate, verifier }, gateway.trustedProxies)
  }
}
