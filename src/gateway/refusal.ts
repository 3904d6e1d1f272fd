/** How a refusal is answered. `docs/errors.md` has the same, with the causes. */
interface RefusalRow {
  readonly status: number
  /** What has happened, in words for people. Scripts read it as the `title` of a problem document. */
  readonly title: string
  /** What a person can do about it. */
  readonly remedy: string
  /** `failed`: a login has failed, so that it goes to `errorRedirectPath`. Both: the page has a button that signs in. */
  readonly login?: 'failed' | 'offered'
  /** It passes: the page has a button that asks for the same once more. */
  readonly passes?: true
}

const nothingHere = 'There is nothing at this address'
const notUnderstood = {
  status: 400,
  title: 'This request cannot be understood',
  remedy: 'Go back to the application and try again.',
} as const
const notPossible = { status: 405, title: 'This cannot be done here', remedy: 'Go back to the application.' } as const
const upstreamSilent = 'The service behind this page does not answer'
const inAMoment = { remedy: 'Try again in a moment.', passes: true } as const
const askAdministrator = 'If it keeps failing, give the request id to your administrator.'

/** Every reason for which the gateway says no. Codes are stable: users, logs and `docs/errors.md` share them. */
export const refusals = {
  'bff.frontend.unknown': { status: 421, title: nothingHere, remedy: 'Check the host name in the address.' },
  'bff.request.ambiguous_target': notUnderstood,
  'bff.request.malformed': notUnderstood,
  'bff.request.too_many': {
    status: 429,
    title: 'Please wait a moment',
    remedy: 'Too many sign-ins have been tried in your network just now. Try again in a minute.',
    passes: true,
  },
  'bff.rate.exceeded': {
    status: 429,
    title: 'Please wait a moment',
    remedy: 'The application has asked for more than it may just now. Try again in a minute.',
    passes: true,
  },
  'bff.request.timeout': {
    status: 408,
    title: 'This took too long to arrive',
    remedy: 'Check your connection and try again.',
  },
  'bff.streams.too_many': {
    status: 429,
    title: 'Too much is open at once',
    remedy: 'Close other tabs of the application.',
  },
  'bff.endpoint.unknown': { status: 404, title: nothingHere, remedy: 'Go back to the application.' },
  'bff.endpoint.method_not_allowed': notPossible,
  'bff.csrf.header_missing': {
    status: 403,
    title: 'This address is for the application',
    remedy: 'Open the application itself; it makes this call for you.',
  },
  'bff.csrf.cross_site': {
    status: 403,
    title: 'Another site tried to use your session',
    remedy: 'Open the application itself and go on from there.',
  },
  'bff.navigation.required': {
    status: 403,
    title: 'This address is for you to open',
    remedy: 'Open the application and go on from there.',
  },
  'bff.session.absent': { status: 401, title: 'You are not signed in', remedy: 'Sign in to go on.' },
  'bff.session.ended': { status: 401, title: 'Your session has ended', remedy: 'Sign in again to go on.' },
  'bff.access.denied': {
    status: 403,
    title: 'This is not open to you',
    remedy: 'Sign in as somebody else, or ask your administrator for access.',
  },
  'bff.store.unavailable': {
    status: 503,
    title: 'Please try again in a moment',
    remedy: 'You are still signed in.',
    passes: true,
  },
  'bff.login.transaction_absent': {
    status: 400,
    title: 'This sign-in cannot be completed',
    remedy: 'Start again, in one go and in this browser. If that does not help, allow cookies for this site.',
    login: 'failed',
  },
  'bff.login.issuer_mismatch': {
    status: 400,
    title: 'This sign-in did not come from where it should',
    remedy: 'Start again from the application.',
    login: 'failed',
  },
  'bff.login.denied': {
    status: 400,
    title: 'You did not sign in',
    remedy: 'Nothing was changed. You can start again whenever you like.',
    login: 'failed',
  },
  'bff.login.refused': {
    status: 403,
    title: 'You may not sign in here',
    remedy: 'Sign in with another account, or ask your administrator.',
    login: 'failed',
  },
  'bff.login.failed': {
    status: 400,
    title: 'Signing in did not work',
    remedy: `Start again. ${askAdministrator}`,
    login: 'failed',
  },
  'bff.login.too_many_sessions': {
    status: 403,
    title: 'You are signed in too often',
    remedy: 'Sign out in another browser or on another device, then sign in again here.',
    login: 'failed',
  },
  'bff.login.loop': {
    status: 400,
    title: 'Signing in goes round in circles',
    remedy: 'Wait a minute, allow cookies for this site and open the application by its usual address.',
  },
  'bff.login.confirm': {
    status: 403,
    title: 'Sign in?',
    remedy: 'Another site sent you here. Go on only if you meant to sign in.',
    login: 'offered',
  },
  'bff.step_up.required': {
    status: 401,
    title: 'Please sign in again for this',
    remedy: 'This needs a stronger or more recent sign-in than yours. You stay signed in.',
  },
  'bff.step_up.not_met': {
    status: 400,
    title: 'This sign-in was not enough',
    remedy: 'You are where you were before. Start again, and sign in the way that is asked for.',
    login: 'failed',
  },
  'bff.step_up.other_user': {
    status: 400,
    title: 'You signed in as somebody else',
    remedy: 'You are where you were before. Sign in as the same user, or sign out first.',
    login: 'failed',
  },
  'bff.step_up.repeated': {
    status: 403,
    title: 'Your sign-in is not accepted here',
    remedy: `You have just signed in for this, and it is asked for again. ${askAdministrator}`,
  },
  'bff.issuer.unavailable': {
    status: 503,
    title: 'The sign-in service does not answer',
    remedy: inAMoment.remedy,
    login: 'offered',
  },
  'bff.token.refused': {
    status: 502,
    title: 'You are signed in, but not for this',
    remedy: 'Give the request id to your administrator.',
  },
  'bff.logout.confirm': {
    status: 403,
    title: 'Sign out?',
    remedy: 'Another site sent you here. Go on only if you meant to sign out.',
  },
  'bff.logout.sid_mismatch': {
    status: 400,
    title: 'You are still signed in',
    remedy: 'Sign out from within the application.',
  },
  'bff.logout.token_refused': {
    status: 400,
    title: 'This logout was not accepted',
    remedy: 'Sign out from within the application.',
  },
  'bff.asset.unreadable': { status: 503, title: 'This page cannot be read at the moment', ...inAMoment },
  'bff.asset.unknown': { status: 404, title: nothingHere, remedy: 'Go back to the application.' },
  'bff.route.unknown': { status: 404, title: nothingHere, remedy: 'Go back to the application.' },
  'bff.route.method_denied': notPossible,
  'bff.body.too_large': { status: 413, title: 'This is too large', remedy: 'Send less at once.' },
  'bff.upstream.unreachable': { status: 502, title: upstreamSilent, ...inAMoment },
  'bff.upstream.timeout': { status: 504, title: 'The service behind this page takes too long', ...inAMoment },
  'bff.upstream.broke_off': { status: 502, title: upstreamSilent, ...inAMoment },
  'bff.upstream.unavailable': { status: 503, title: upstreamSilent, ...inAMoment },
  'bff.upstream.invalid_response': { status: 502, title: upstreamSilent, ...inAMoment },
  'bff.upstream.nonce_required': { status: 502, title: upstreamSilent, ...inAMoment },
  'bff.forward_auth.forged_field': {
    status: 403,
    title: 'This request cannot be passed on',
    remedy: 'Go back to the application and try again.',
  },
  'bff.forward_auth.changed': { status: 503, title: 'Please try again in a moment', ...inAMoment },
  'bff.internal': { status: 500, title: 'Something went wrong here', remedy: `Try again. ${askAdministrator}` },
} as const satisfies Readonly<Record<`bff.${string}`, RefusalRow>>

export type RefusalCode = keyof typeof refusals

/** A request we do not serve. What it becomes (a document, a page, a closed socket) is the edge's decision. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** For the operator's log alone, where that may say more. */
  readonly reason: string | undefined
  /** Handle of the session that was refused. */
  readonly session: string | undefined
  /** What the login has to ask for that leads on: part of `loginUrl`. */
  readonly loginParameters: Readonly<Record<string, string>> | undefined

  /** @param detail For the developer at the other end: what is wrong and what to do. Never an internal. */
  constructor(
    code: RefusalCode,
    detail: string,
    options?: ErrorOptions & {
      readonly reason?: string
      readonly session?: string
      readonly loginParameters?: Readonly<Record<string, string>> | undefined
    },
  ) {
    super(detail, options)
    this.code = code
    this.reason = options?.reason
    this.session = options?.session
    this.loginParameters = options?.loginParameters
  }
}

export function statusOf(code: RefusalCode): number {
  return refusals[code].status
}

/** Whether it passes by itself: see `RefusalRow`. */
export function passes(code: RefusalCode): boolean {
  const row: RefusalRow = refusals[code]
  return row.passes === true
}

/** What a login has to do with it: see `RefusalRow`. */
export function loginOf(code: RefusalCode): RefusalRow['login'] {
  const row: RefusalRow = refusals[code]
  return row.login
}
