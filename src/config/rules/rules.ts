import { applicationRules } from './application-rules.js'
import { auditRules } from './audit-rules.js'
import { authorizationDetailRules } from './authorization-detail-rules.js'
import { authorizationServerRules } from './authorization-server-rules.js'
import { fileRules } from './file-rules.js'
import { folderRules } from './folder-rules.js'
import { forwardAuthRules } from './forward-auth-rules.js'
import { frontendRules } from './frontend-rules.js'
import { httpProxyRules } from './http-proxy-rules.js'
import { limitRules } from './limit-rules.js'
import { messageSigningRules } from './message-signing-rules.js'
import { mutualTlsRules } from './mutual-tls-rules.js'
import { profileRules } from './profile-rules.js'
import { resourceServerRules } from './resource-server-rules.js'
import { routeRules } from './route-rules.js'
import type { Rule } from './rule.js'
import { serverRules } from './server-rules.js'
import { storeRules } from './store-rules.js'
import { upstreamSocketRules } from './upstream-socket-rules.js'
import { urlRules } from './url-rules.js'
import { userRules } from './user-rules.js'

/** Everything that has to hold between settings. */
export const rules: readonly Rule[] = [
  ...serverRules,
  ...auditRules,
  ...fileRules,
  ...storeRules,
  ...profileRules,
  ...frontendRules,
  ...folderRules,
  ...urlRules,
  ...routeRules,
  ...upstreamSocketRules,
  ...authorizationServerRules,
  ...applicationRules,
  ...messageSigningRules,
  ...mutualTlsRules,
  ...authorizationDetailRules,
  ...userRules,
  ...limitRules,
  ...resourceServerRules,
  ...forwardAuthRules,
  ...httpProxyRules,
]
