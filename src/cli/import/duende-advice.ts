import type { Advice } from './left-over.js'

/** What to do instead of settings of Duende that are not read. */
export const duendeAdvice: Advice = {
  managementbasepath: 'endpoints are at {PathPrefix}/bff.',
  revokerefreshtokenonlogout: 'it is revoked at every logout.',
  anonymoussessionresponse: 'bff/user answers 200 with {"authenticated": false}.',
  dpopjsonwebkey: 'each session has a key of its own: set UseDPoP to true.',
  backchannellogoutallusersessions: 'a logout token with a sid ends that session, one without ends all of the user.',
  enablesessioncleanup: 'sessions expire in the store by themselves.',
  sessioncleanupinterval: 'sessions expire in the store by themselves.',
  requirelogoutsessionid: 'the logout link is guarded, always.',
  licensekey: 'there is none.',
  tokenretrievertypename: 'write Resource and Scopes of the route instead of code.',
  signinscheme: 'there is one.',
  challengescheme: 'there is one.',
  forcerenewal: 'tokens are refreshed before they expire.',
  allowresponsebuffering: 'answers are streamed, always.',
  allowedsilentloginreferers: 'silent login in a frame has no counterpart; a login at the same server needs no typing.',
}
