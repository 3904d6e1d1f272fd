import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'

plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'Ed25519' })
plan({ start: startSallyport, variant: 'plain_oauth', algorithm: 'Ed25519' })
