import { withMutualTls } from '../_client-security.js'
import { everythingSigned, inFull } from '../_message-signing.js'
import { startNodeOidcProvider } from './_node-oidc-provider.js'
import { plan } from './_plan.js'
import { code } from './modules/code.js'
import { discovery } from './modules/discovery.js'
import { flow } from './modules/flow.js'

for (const security of withMutualTls) {
  const all = { start: startNodeOidcProvider, variant: 'openid_connect', algorithm: 'PS256', security } as const
  const some = [...discovery, ...flow.slice(0, 1), ...code.slice(0, 2)]
  plan({ ...all, ...(!inFull && { modules: some }) })
  if (inFull) plan({ ...all, signing: everythingSigned })
}
