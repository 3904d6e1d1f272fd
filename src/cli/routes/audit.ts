import type { FrontendOptions } from '../../gateway/options.js'
import { isLoopback } from '../../http/loopback.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { carriesToken } from '../scheme.js'
import type { ListedFrontend, ListedRoute } from './route-list.js'

/** What lets more through than it may need. */
export interface Finding {
  readonly pointer: string
  readonly finding: string
  readonly remedy: string
}

interface Audited {
  readonly frontend: ListedFrontend
  readonly options: FrontendOptions
  readonly all: readonly ListedFrontend[]
}

type Look = (audited: Audited) => Iterable<Finding>

/** @param frontends of which `listed` was made, in the same order */
export function audit(frontends: readonly FrontendOptions[], listed: readonly ListedFrontend[]): readonly Finding[] {
  return listed.flatMap((frontend, index) => {
    const options = frontends[index]
    return options === undefined ? [] : looks.flatMap((look) => [...look({ frontend, options, all: listed })])
  })
}

const looks: readonly Look[] = [
  callersWithoutSessionHaveTheGatewaysRights,
  callersWithoutSessionChangeThings,
  everyMethodPasses,
  tokensHaveTheScopesOfTheLogin,
  oneTokenOpensSeveralApis,
  nothingIsCounted,
  bodiesOfAnySizePass,
  tokensGoInClear,
  othersMayCallWithTheCookie,
  pagesOfOneOriginAreOne,
  pagesSeeEveryClaim,
  pagesHaveNoPolicy,
  aDevelopmentServerIsPublic,
]

const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What a caller may do at a route that changes something. */
function unsafeMethods({ methods }: ListedRoute): string {
  const named = methods.filter((method) => !safe.has(method))
  return methods.length === 0 ? 'every method' : named.join(', ')
}

function* callersWithoutSessionHaveTheGatewaysRights({ frontend }: Audited) {
  for (const { pointer, path, tokenType, session } of frontend.routes)
    if ((tokenType === 'Client' || tokenType === 'UserOrClient') && session !== 'required')
      yield {
        pointer: `${pointer}/TokenType`,
        finding: `is "${tokenType}": every caller who can reach ${path}, signed in or not, acts with the gateway's own rights there`,
        remedy:
          'Write "User"; or with "Client" an Access rule, which needs a session; or only methods and scopes that are for the public.',
      }
}

function* callersWithoutSessionChangeThings({ frontend }: Audited) {
  for (const route of frontend.routes)
    if ((route.tokenType === 'None' || route.tokenType === 'UserOrNone') && unsafeMethods(route) !== '')
      yield {
        pointer: `${route.pointer}/TokenType`,
        finding: `is "${route.tokenType}", and ${route.path} takes ${unsafeMethods(route)} without a session${route.tokenType === 'None' && !route.requireCsrfHeader ? ', from pages of other sites too' : ''}`,
        remedy: 'Write "Methods": ["GET"]; or see to it that the API checks its callers by itself, as a webhook does.',
      }
}

function* everyMethodPasses({ frontend }: Audited) {
  for (const { pointer, methods } of frontend.routes)
    if (methods.length === 0)
      yield {
        pointer: `${pointer}/Methods`,
        finding: 'is left out: every method passes, those that the page never uses too',
        remedy: 'Write those that the page uses, as in "Methods": ["GET", "POST"].',
      }
}

function* tokensHaveTheScopesOfTheLogin({ frontend, options }: Audited) {
  for (const { pointer, scheme, scopes } of frontend.routes) {
    const isWritten = options.routes[Number(pointer.split('/').at(-1))]?.scopes.length !== 0
    if (carriesToken(scheme) && !isWritten)
      yield {
        pointer: `${pointer}/Scopes`,
        finding: `is left out: its token has ${scopes.length === 0 ? 'whatever the server gives' : `all scopes of the frontend (${scopes.join(' ')})`}`,
        remedy: 'Write the scopes that this API asks for, as in "Scopes": ["orders"].',
      }
  }
}

function* oneTokenOpensSeveralApis({ frontend }: Audited) {
  const unnamed = frontend.routes.filter(({ scheme, resource }) => carriesToken(scheme) && resource === undefined)
  const origins = new Set(unnamed.flatMap(({ upstreams }) => upstreams.map((url) => new URL(url).origin)))
  if (origins.size > 1)
    yield {
      pointer: `${frontend.pointer}/Routes`,
      finding: `routes to ${[...origins].join(' and ')} name no Resource: the tokens of one are for the others too`,
      remedy:
        'Give each route the Resource (audience) of its API, where the authorization server knows resource indicators (RFC 8707).',
    }
}

function* nothingIsCounted({ frontend }: Audited) {
  if (frontend.rateLimits.length > 0) return
  for (const { pointer, rateLimits } of frontend.routes)
    if (rateLimits.length === 0)
      yield {
        pointer: `${pointer}/RateLimits`,
        finding: 'is left out, here and at the frontend: one session may call as often as it likes',
        remedy: 'Write a limit, as in "RateLimits": [{ "Requests": 600, "Per": "00:01:00" }], here or at the frontend.',
      }
}

function* bodiesOfAnySizePass({ frontend }: Audited) {
  for (const route of frontend.routes)
    if (route.bodyLimit === undefined && unsafeMethods(route) !== '')
      yield {
        pointer: `${route.pointer}/BodyLimit`,
        finding: 'is left out: bodies of any size pass',
        remedy: 'Write how many bytes the API takes, as in "BodyLimit": 1048576.',
      }
}

function* tokensGoInClear({ frontend }: Audited) {
  for (const { pointer, upstreams, sockets } of frontend.routes)
    for (const [index, upstream] of upstreams.entries()) {
      // By a Unix socket nothing leaves this machine.
      if (sockets === undefined && !isSecureUrl(upstream))
        yield {
          pointer: `${pointer}/Upstreams/${index}`,
          finding: `is plain http to ${new URL(upstream).hostname}: tokens and answers go over that network in clear (FAPI 2.0 §5.2.1)`,
          remedy: 'Write an https URL; or leave it to a mesh that encrypts between the two.',
        }
    }
}

function* othersMayCallWithTheCookie({ frontend, options }: Audited) {
  if (frontend.otherOrigins.length > 0)
    yield {
      pointer: `${frontend.pointer}/${options.cors === undefined ? 'ClientUrl' : 'Cors/Origins'}`,
      finding: `lets pages of ${frontend.otherOrigins.join(', ')} call every route with the session of the user`,
      remedy: 'Serve the page from the origin of the gateway (StaticFilesPath), so that no other origin needs it.',
    }
}

/** Browsers keep origins apart, not paths: a script of one page can fetch whatever the other may. */
function* pagesOfOneOriginAreOne({ frontend, all }: Audited) {
  const origin = new URL(frontend.url).origin
  const others = all.filter((other) => other !== frontend && new URL(other.url).origin === origin)
  if (others.length > 0 && all.indexOf(frontend) > all.indexOf(others[0] ?? frontend))
    yield {
      pointer: `${frontend.pointer}/PathPrefix`,
      finding: `"${frontend.name}" shares the origin ${origin} with ${others.map(({ name }) => `"${name}"`).join(', ')}: a script of one page may call the routes of the other, with the user's session there`,
      remedy: 'Give each frontend a host name of its own, where one of them may do more than another.',
    }
}

function* pagesSeeEveryClaim({ frontend, options }: Audited) {
  if (options.userClaims === undefined)
    yield {
      pointer: `${frontend.pointer}/UserClaims`,
      finding: 'is left out: scripts of the page see every claim about the user',
      remedy: 'Write those that the page shows, as in "UserClaims": ["sub", "name"].',
    }
}

function* pagesHaveNoPolicy({ frontend, options }: Audited) {
  if (options.securityHeaders === 'None' && options.contentSecurityPolicy === undefined && options.staticFilesPath)
    yield {
      pointer: `${frontend.pointer}/SecurityHeaders`,
      finding: 'is "None", and there is no ContentSecurityPolicy: scripts of any origin run in the page',
      remedy: 'Leave it out, or write a ContentSecurityPolicy.',
    }
}

function* aDevelopmentServerIsPublic({ frontend, options }: Audited) {
  if (options.developmentServer !== undefined && !isLoopback(options.publicUrl.hostname))
    yield {
      pointer: `${frontend.pointer}/DevelopmentServer`,
      finding: `serves the page of ${frontend.url}: a development server shows sources, and is not made for the public`,
      remedy: 'Build the page, and write its folder as StaticFilesPath.',
    }
}
