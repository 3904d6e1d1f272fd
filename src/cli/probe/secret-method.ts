import type { secretMethods } from '../../config/schema/client-authentication.js'

/** How the configuration names a way to show a client secret. */
export type ClientSecretSetting = (typeof secretMethods)[number]

/** @param taken the server's `token_endpoint_auth_methods_supported` (RFC 8414 §2). Undefined: it takes no secret. */
export function secretMethodOf(taken: readonly string[]): ClientSecretSetting | undefined {
  if (taken.includes('client_secret_post')) return 'ClientSecretPost'
  return taken.includes('client_secret_basic') ? 'ClientSecretBasic' : undefined
}
