import { unreachable } from '../errors.js'
import type { Advice, PageTexts } from './page/languages/page-texts.js'
import type { RefusalCode } from './refusal.js'

/** The same in the language of the page. */
export function adviceIn({ advice }: PageTexts, code: RefusalCode): Advice {
  return advice[code] ?? adviceOn(code)
}

export function adviceOn(code: RefusalCode): Advice {
  switch (code) {
    case 'bff.frontend.unknown':
      return { title: 'There is nothing at this address', remedy: 'Check the host name in the address.' }
    case 'bff.request.ambiguous_target':
    case 'bff.request.malformed':
      return { title: 'This request cannot be understood', remedy: 'Go back to the application and try again.' }
    case 'bff.request.too_many':
      return {
        title: 'Please wait a moment',
        remedy: 'Too many sign-ins have been tried in your network just now. Try again in a minute.',
      }
    case 'bff.endpoint.unknown':
    case 'bff.asset.unknown':
    case 'bff.route.unknown':
      return { title: 'There is nothing at this address', remedy: 'Go back to the application.' }
    case 'bff.endpoint.method_not_allowed':
    case 'bff.route.method_denied':
      return { title: 'This cannot be done here', remedy: 'Go back to the application.' }
    case 'bff.csrf.header_missing':
      return {
        title: 'This address is for the application',
        remedy: 'Open the application itself; it makes this call for you.',
      }
    case 'bff.csrf.cross_site':
      return {
        title: 'Another site tried to use your session',
        remedy: 'Open the application itself and go on from there.',
      }
    case 'bff.navigation.required':
      return { title: 'This address is for you to open', remedy: 'Open the application and go on from there.' }
    case 'bff.session.absent':
      return { title: 'You are not signed in', remedy: 'Sign in to go on.' }
    case 'bff.session.ended':
      return { title: 'Your session has ended', remedy: 'Sign in again to go on.' }
    case 'bff.store.unavailable':
      return {
        title: 'Please try again in a moment',
        remedy: 'You are still signed in; the service is catching its breath.',
      }
    case 'bff.login.transaction_absent':
      return {
        title: 'This sign-in cannot be completed',
        remedy: 'Start again, in one go and in this browser. If that does not help, allow cookies for this site.',
      }
    case 'bff.login.issuer_mismatch':
      return { title: 'This sign-in did not come from where it should', remedy: 'Start again from the application.' }
    case 'bff.login.denied':
      return { title: 'You did not sign in', remedy: 'Nothing was changed. You can start again whenever you like.' }
    case 'bff.login.failed':
      return {
        title: 'Signing in did not work',
        remedy: 'Start again. If it keeps failing, give the request id to your administrator.',
      }
    case 'bff.login.loop':
      return {
        title: 'Signing in goes round in circles',
        remedy: 'Wait a minute, allow cookies for this site and open the application by its usual address.',
      }
    case 'bff.login.confirm':
      return { title: 'Sign in?', remedy: 'Another site sent you here. Go on only if you meant to sign in.' }
    case 'bff.issuer.unavailable':
      return { title: 'The sign-in service does not answer', remedy: 'Try again in a moment.' }
    case 'bff.token.refused':
      return { title: 'You are signed in, but not for this', remedy: 'Give the request id to your administrator.' }
    case 'bff.logout.confirm':
      return { title: 'Sign out?', remedy: 'Another site sent you here. Go on only if you meant to sign out.' }
    case 'bff.logout.sid_mismatch':
      return { title: 'You are still signed in', remedy: 'Sign out from within the application.' }
    case 'bff.logout.token_refused':
      return { title: 'This logout was not accepted', remedy: 'Sign out from within the application.' }
    case 'bff.streams.too_many':
      return { title: 'Too much is open at once', remedy: 'Close other tabs of the application.' }
    case 'bff.request.timeout':
      return { title: 'This took too long to arrive', remedy: 'Check your connection and try again.' }
    case 'bff.body.too_large':
      return { title: 'This is too large', remedy: 'Send less at once.' }
    case 'bff.upstream.unreachable':
    case 'bff.upstream.broke_off':
    case 'bff.upstream.unavailable':
    case 'bff.upstream.invalid_response':
    case 'bff.upstream.nonce_required':
      return { title: 'The service behind this page does not answer', remedy: 'Try again in a moment.' }
    case 'bff.upstream.timeout':
      return { title: 'The service behind this page takes too long', remedy: 'Try again in a moment.' }
    case 'bff.internal':
      return {
        title: 'Something went wrong here',
        remedy: 'Try again. If it keeps failing, give the request id to your administrator.',
      }
    default:
      return unreachable(code)
  }
}
