import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'

plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'PS256' })
plan({ start: startSallyport, variant: 'plain_oauth', algorithm: 'PS256' })
