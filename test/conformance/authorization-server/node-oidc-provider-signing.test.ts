import { everythingSigned, inFull } from '../_message-signing.js'
import { startNodeOidcProvider } from './_node-oidc-provider.js'
import { plan } from './_plan.js'
import { discovery } from './modules/discovery.js'
import { flow } from './modules/flow.js'
import { signedRequest } from './modules/signed-request.js'

plan({
  start: startNodeOidcProvider,
  variant: 'openid_connect',
  algorithm: 'PS256',
  signing: everythingSigned,
  ...(!inFull && { modules: [...discovery, ...flow, ...signedRequest] }),
})
