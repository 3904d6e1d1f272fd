import { startNodeOidcProvider } from './_node-oidc-provider.js'
import { plan } from './_plan.js'

plan({ start: startNodeOidcProvider, variant: 'openid_connect', algorithm: 'PS256' })
