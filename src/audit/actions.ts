/** What an audit record can be about. The schema, the documentation and the tests are made from this table. */
export const auditActions = {
  'login.started': success('A user is on the way to the authorization server.'),
  'login.succeeded': success('A session has begun.'),
  'login.failed': failure('A login has not led to a session; `code` says why.'),
  'step-up.required': failure('A call needs a stronger or more recent sign-in.'),
  'step-up.succeeded': success('The user has signed in again as it was asked.'),
  'step-up.failed': failure('The user has signed in again, and it was not enough.'),
  logout: success('A user has ended their own session.'),
  'session.ended': success(
    'A session has ended otherwise; `code` is how: backchannel-logout, frontchannel-logout, administrator, revoked, login, displaced, refresh-failed, expired, authority-removed.',
  ),
  'logout-token.refused': failure('A back-channel logout was not believed.'),
  'refresh.refused': failure('The authorization server gave no new tokens for a session.'),
  'access.denied': failure("A user's claims do not let them in."),
  'csrf.refused': failure('A request came from another site, or without the header.'),
  'replay.refused': failure('A proof or a client assertion came twice.'),
  'sign-in.succeeded': success('A user has proved who they are at the embedded server.'),
  'sign-in.failed': failure('A wrong name or password there.'),
  'sign-in.limited': failure('Too many sign-ins from one network, once a minute.'),
  'sign-in.ended': success("A user's single sign-on at the embedded server has ended."),
  'consent.given': success('A user has allowed a client what it asked for.'),
  'consent.refused': failure('A user has not.'),
  'client.refused': failure('A sender has not proved to be the client that it says.'),
  'token.issued': success('The embedded server has issued tokens.'),
  'token.refused': failure('It has refused to.'),
  'token.revoked': success('A client has given a token back, here or at a server elsewhere.'),
  'code.reused': failure('An authorization code came twice: its tokens are revoked.'),
  'key.rotated': success('Another key signs from now on.'),
  'administration.acted': success('An administrator has done something; `details.act` is what.'),
  'administration.refused': failure('A wrong `AdminToken`.'),
  'configuration.taken-over': success('Another configuration is served.'),
  'configuration.refused': failure('A configuration did not work; the one before it is served on.'),
} as const satisfies Readonly<Record<string, AuditActionRow>>

/** What a record can be about: `login.succeeded`, `access.denied`, … */
export type AuditAction = keyof typeof auditActions

interface AuditActionRow {
  readonly outcome: 'success' | 'failure'
  /** For the documentation. */
  readonly meaning: string
}

function success(meaning: string) {
  return { outcome: 'success', meaning } as const
}

function failure(meaning: string) {
  return { outcome: 'failure', meaning } as const
}
