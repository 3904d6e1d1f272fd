import type { JWK } from 'jose'

export interface SuiteConfigurationOptions {
  readonly alias: string
  /** Base URL of the suite. */
  readonly suite: string
  readonly issuer: string
  readonly resourceUrl: string
  readonly user: { readonly name: string; readonly password: string }
  readonly clients: readonly [SuiteClientConfiguration, SuiteClientConfiguration]
}

export interface SuiteClientConfiguration {
  readonly id: string
  readonly scope: string
  readonly privateJwk: JWK
}

/** What the seeding gives a client of the suite's plans. */
export function permissionsOf(scope: string): readonly string[] {
  return [
    'ept:authorization',
    'ept:pushed_authorization',
    'ept:token',
    'gt:authorization_code',
    'gt:refresh_token',
    'rst:code',
    ...scope.split(' ').map((name) => `scp:${name}`),
  ]
}

/** What to paste into the OpenID Foundation's suite: its plan configuration for a server of ours. */
export function suiteConfiguration({ alias, suite, issuer, resourceUrl, user, clients }: SuiteConfigurationOptions) {
  const authorize = `${issuer}/connect/authorize*`
  const [client, client2] = clients.map(({ id, scope, privateJwk }) => ({
    client_id: id,
    scope,
    jwks: { keys: [privateJwk] },
  }))
  const complete = {
    task: 'Back at the suite',
    match: `${suite}/test/a/*/callback*`,
    commands: [['wait', 'id', 'submission_complete', 10]],
  }
  // Both pages have the same URL, and each may be left out: signed in already, or consented already.
  const signIn = {
    task: 'Sign in',
    optional: true,
    match: authorize,
    commands: [
      ['text', 'id', 'username', user.name, 'optional'],
      ['text', 'id', 'password', user.password, 'optional'],
      ['click', 'id', 'sign-in', 'optional'],
    ],
  }
  const consent = {
    task: 'Consent',
    optional: true,
    match: authorize,
    commands: [['click', 'id', 'allow', 'optional']],
  }
  const allow = { match: authorize, tasks: [signIn, consent, complete] }
  const cancel = {
    match: authorize,
    tasks: [{ task: 'Cancel', match: authorize, commands: [['click', 'id', 'cancel']] }, complete],
  }
  const errorPage = {
    match: authorize,
    tasks: [
      {
        task: 'Our error page',
        match: authorize,
        commands: [['wait', 'xpath', '//h1', 10, '.*', 'update-image-placeholder']],
      },
    ],
  }
  const module = (name: string): string => `fapi2-security-profile-final-${name}`
  return {
    alias,
    description: 'Sallyport, authorization server and DPoP validator',
    server: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
    client,
    client2,
    resource: { resourceUrl },
    browser: [allow],
    override: {
      [module('user-rejects-authentication')]: { browser: [cancel] },
      // The first visit leaves without doing anything.
      [module('par-ensure-reused-request-uri-prior-to-auth-completion-succeeds')]: {
        browser: [{ match: authorize, 'match-limit': 1, tasks: [] }, allow],
      },
      // What fails where no redirect URI can be trusted ends on an error page of ours: a human looks at the picture.
      [module('ensure-unsigned-authorization-request-without-using-par-fails')]: { browser: [errorPage] },
      [module('par-attempt-reuse-request_uri')]: { browser: [{ ...allow, 'match-limit': 1 }, errorPage] },
      [module('par-attempt-to-use-expired-request_uri')]: { browser: [errorPage] },
      [module('par-attempt-to-use-request_uri-for-different-client')]: { browser: [errorPage] },
    },
    options: { browsercontrol_css_enable: false },
  }
}
