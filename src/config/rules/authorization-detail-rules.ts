import { problem, type Rule } from './rule.js'

export const authorizationDetailRules: readonly Rule[] = [
  function* detailsAreKnownToTheEmbeddedServer({ authorizationServer: server }) {
    if (server === undefined) return
    const types = new Set(server.settings.Seeding.AuthorizationDetailTypes.map(({ Type }) => Type))
    for (const { settings, frontends, pointer: application } of server.applications)
      for (const { pointer, routes, settings: frontend } of frontends) {
        const asked = [
          ...frontend.AuthorizationDetails.map(
            ({ type }, index) => [type, `AuthorizationDetails/${index}/type`] as const,
          ),
          ...frontend.LoginDetailTypes.map(({ Type = '' }, index) => [Type, `LoginDetailTypes/${index}/Type`] as const),
          ...routes.flatMap(({ AuthorizationDetails = [] }, route) =>
            AuthorizationDetails.map(
              ({ type }, index) => [type, `Routes/${route}/AuthorizationDetails/${index}/type`] as const,
            ),
          ),
        ]
        for (const [type, at] of asked)
          if (!types.has(type))
            yield problem(
              `${pointer}/${at}`,
              'is no type of the embedded authorization server',
              'Add it to AuthorizationDetailTypes in its Seeding, or leave it out.',
            )
          else if (settings.AuthorizationDetailTypes?.includes(type) === false)
            yield problem(
              `${pointer}/${at}`,
              `is a type that ${application}/AuthorizationDetailTypes does not have`,
              'Add it there, or leave AuthorizationDetailTypes of the application out.',
            )
      }
  },
]
