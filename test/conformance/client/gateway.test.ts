import { startGateway } from './_gateway.js'
import { beyondTheClientPlan, clientTestPlan } from './_modules.js'
import { clientPlan } from './_plan.js'

clientPlan({ start: startGateway, variant: 'oidc' })
clientPlan({ start: startGateway, variant: 'plain_oauth' })
clientPlan({ start: startGateway, variant: 'oidc', modules: beyondTheClientPlan })

const happyPaths = clientTestPlan.filter(({ outcome }) => outcome === 'completes')
clientPlan({
  start: startGateway,
  variant: 'oidc',
  clientAlgorithm: 'ES256',
  serverAlgorithm: 'Ed25519',
  modules: happyPaths,
})
clientPlan({
  start: startGateway,
  variant: 'oidc',
  clientAlgorithm: 'Ed25519',
  serverAlgorithm: 'ES256',
  modules: happyPaths,
})
clientPlan({
  start: startGateway,
  variant: 'oidc',
  clientAlgorithm: 'EdDSA',
  serverAlgorithm: 'EdDSA',
  modules: happyPaths,
})
