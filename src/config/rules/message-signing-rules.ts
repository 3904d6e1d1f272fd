import type { ApplicationPlan } from '../resolve/applications.js'
import type { FrontendPlan } from '../resolve/frontend-plan.js'
import { problem, type Rule } from './rule.js'

export const messageSigningRules: readonly Rule[] = [
  function* whatTheEmbeddedServerRequiresIsDone({ authorizationServer: server, bff }) {
    if (server === undefined || bff === undefined) return
    for (const { application, frontend } of pairsOf(server.applications)) {
      const { pointer, settings } = frontend
      const signs = settings.UseSignedRequests ?? bff.UseSignedRequests
      if (!signs && (application.settings.RequireSignedRequests ?? server.settings.RequireSignedRequests))
        yield problem(
          `${pointer}/UseSignedRequests`,
          'is false, and the embedded authorization server requires signed requests of this client',
          'Write "UseSignedRequests": true, here or in "Bff".',
        )
      const mode = settings.ResponseMode ?? bff.ResponseMode
      if (mode !== 'jwt' && (application.settings.RequireSignedResponses ?? server.settings.RequireSignedResponses))
        yield problem(
          `${pointer}/ResponseMode`,
          'is "query", and the embedded authorization server gives this client signed answers only',
          'Write "ResponseMode": "jwt", here or in "Bff".',
        )
    }
  },
]

function pairsOf(
  applications: readonly ApplicationPlan[],
): readonly { readonly application: ApplicationPlan; readonly frontend: FrontendPlan }[] {
  return applications.flatMap((application) => application.frontends.map((frontend) => ({ application, frontend })))
}
