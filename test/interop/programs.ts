import type { ForeignProgram } from './_walk.js'
import { keycloak } from './keycloak.js'
import { nimbus } from './nimbus.js'
import { nodeOidcProvider } from './node-oidc-provider.js'
import { requestsOauth2client } from './requests-oauth2client.js'
import { springAuthorizationServer } from './spring-authorization-server.js'
import { springResourceServer } from './spring-resource-server.js'

/** What there is to walk with, by what it is called on the command line. */
export const programs: Readonly<Record<string, ForeignProgram>> = {
  'node-oidc-provider': nodeOidcProvider,
  keycloak,
  'spring-authorization-server': springAuthorizationServer('with iss'),
  'spring-authorization-server-stock': springAuthorizationServer('stock'),
  'spring-resource-server': springResourceServer,
  nimbus: nimbus('plain'),
  'nimbus-signed': nimbus('signed'),
  'requests-oauth2client': requestsOauth2client,
}
