import type { IncomingMessage, ServerResponse } from 'node:http'
import { frontendDefaults } from '../defaults.js'
import type { FrontendOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'
import type { RequestTarget } from '../routing/request-target.js'
import type { RouteMatch } from '../routing/route.js'
import { isNavigation } from './navigation.js'
import { answerHeaders, createSecurityHeaders } from './security-headers.js'
import { createStaticFiles } from './static-files.js'

/** What no endpoint and no route covers is the page's own. */
export interface Page<Matched extends RouteOptions = RouteOptions> {
  /** False where the frontend has only endpoints and routes. */
  readonly isServed: boolean
  /** From where it is fetched; undefined for what `serve` answers. */
  match(target: RequestTarget): RouteMatch<Matched> | undefined
  /** @throws Refusal */
  serve(request: IncomingMessage, response: ServerResponse, target: RequestTarget): Promise<void>
}

/** @param developmentServer where the page is fetched, if it is */
export function createPage<Matched extends RouteOptions>(
  frontend: FrontendOptions,
  developmentServer: Matched | undefined,
): Page<Matched> {
  const { staticFilesPath, pathPrefix, requireLogin = frontendDefaults.requireLogin } = frontend
  // Without the slash a page's relative URLs would lead out of its frontend.
  const lacksSlash = (path: string): boolean => path === pathPrefix && pathPrefix !== ''
  const setSecurityHeaders = createSecurityHeaders(frontend)
  const serveFile =
    staticFilesPath === undefined
      ? undefined
      : createStaticFiles(staticFilesPath, requireLogin === 'Page' ? 'members' : 'anyone')
  const isServed = serveFile !== undefined || developmentServer !== undefined
  return {
    isServed,
    // The whole path goes there, for the page is built for the place where it is seen.
    match: ({ path, query }) =>
      developmentServer === undefined || lacksSlash(path)
        ? undefined
        : { route: developmentServer, upstreamTarget: path + query, removedPrefix: '' },

    async serve(request, response, { path, query }) {
      if (isServed && lacksSlash(path)) {
        response.writeHead(308, { ...answerHeaders(frontend), Location: `${path}/${query}` }).end()
        return
      }
      if (serveFile === undefined) throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path')
      setSecurityHeaders(request, response)
      await serveFile(request, response, path.slice(pathPrefix.length), isNavigation(request) ? 'navigation' : 'asset')
    },
  }
}
