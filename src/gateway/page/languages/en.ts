import { refusals } from '../../refusal.js'
import type { PageTexts } from './page-texts.js'

export const en: PageTexts = {
  language: 'en',
  // Scripts read its titles as well.
  advice: refusals,
  chooseAuthority: 'Where do you want to sign in?',
  lastTime: 'as last time',
  signIn: 'Sign in',
  signInAsOther: 'Sign in as somebody else',
  signOut: 'Sign out',
  tryAgain: 'Try again',
  back: 'Back to the application',
  code: 'Code',
  request: 'Request',
  reason: 'Reason',
  oneMoment: 'One moment',
  goOn: 'Go on',
  signedIn: 'You are signed in',
  closeWindow: 'You can close this window.',
}
