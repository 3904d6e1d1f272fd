import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FrontendOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { RequestTarget } from '../routing/request-target.js'
import type { RouteMatch } from '../routing/route.js'
import { matchDevelopmentServer } from './development-server.js'
import { isNavigation } from './navigation.js'
import { answerHeaders, createSecurityHeaders } from './security-headers.js'
import { createStaticFiles } from './static-files.js'

/** What no endpoint and no route covers is the page's own. */
export interface Page {
  /** From where it is fetched; undefined for what `serve` answers. */
  match(target: RequestTarget): RouteMatch | undefined
  /** @throws Refusal */
  serve(request: IncomingMessage, response: ServerResponse, target: RequestTarget): Promise<void>
}

export function createPage(frontend: FrontendOptions): Page {
  const { staticFilesPath, pathPrefix } = frontend
  // Without the slash a page's relative URLs would lead out of its frontend.
  const lacksSlash = (path: string): boolean => path === pathPrefix && pathPrefix !== ''
  const setSecurityHeaders = createSecurityHeaders(frontend)
  const serveFile = staticFilesPath === undefined ? undefined : createStaticFiles(staticFilesPath)
  return {
    match: (target) => (lacksSlash(target.path) ? undefined : matchDevelopmentServer(frontend, target)),

    async serve(request, response, { path, query }) {
      const isPage = serveFile !== undefined || frontend.developmentServer !== undefined
      if (isPage && lacksSlash(path)) {
        response.writeHead(308, { ...answerHeaders(frontend), Location: `${path}/${query}` }).end()
        return
      }
      if (serveFile === undefined) throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path')
      setSecurityHeaders(request, response)
      await serveFile(request, response, path.slice(pathPrefix.length), isNavigation(request) ? 'navigation' : 'asset')
    },
  }
}
