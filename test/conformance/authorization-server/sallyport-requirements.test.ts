import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'
import { requirements } from './modules/requirements.js'

plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'ES256', modules: requirements })
