import type { PageTexts } from './page-texts.js'

/** Its advice is that of `refusal-advice.ts`, which scripts read as well. */
export const en: PageTexts = {
  language: 'en',
  advice: {},
  signIn: 'Sign in',
  signOut: 'Sign out',
  back: 'Back to the application',
  code: 'Code',
  request: 'Request',
  reason: 'Reason',
  oneMoment: 'One moment',
  goOn: 'Go on',
}
