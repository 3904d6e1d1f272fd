import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'

const failing = ['attempt-reuse-authorization-code-after-one-second']

plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'PS256', failing })
plan({ start: startSallyport, variant: 'plain_oauth', algorithm: 'PS256', failing })
