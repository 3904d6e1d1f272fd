import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'
import { dpopAtProtectedResources, dpopAtTheServer } from './modules/dpop.js'

const modules = [dpopAtProtectedResources, dpopAtTheServer]
plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'PS256', modules })
plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'ES256', modules })
plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'Ed25519', modules })
