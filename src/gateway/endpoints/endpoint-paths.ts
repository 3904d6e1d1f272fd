/** The segment behind a frontend's prefix below which its endpoints are. */
export const endpointSegment = 'bff'

/** Where each endpoint is, below the base of its frontend. */
export const endpointPaths = {
  login: '/login',
  callback: '/callback',
  popupLogin: '/popup-login',
  user: '/user',
  logout: '/logout',
  backchannelLogout: '/backchannel-logout',
  frontchannelLogout: '/frontchannel-logout',
  sessions: '/sessions',
  jwks: '/jwks',
  assertionJwks: '/assertion-jwks',
} as const

/** Where a frame's page posts into the window that it has opened, as pages do it: without a header. */
export const popupWindowPath = `${endpointPaths.popupLogin}/window`

/** `P`: the path of the endpoints of a frontend. */
export function endpointBase(pathPrefix: string): string {
  return `${pathPrefix}/${endpointSegment}`
}

/** Path of one endpoint of a frontend. */
export function endpointPath(pathPrefix: string, endpoint: keyof typeof endpointPaths): string {
  return endpointBase(pathPrefix) + endpointPaths[endpoint]
}
