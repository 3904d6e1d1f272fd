import type { Attack } from './attack.js'
import { errorPage } from './documents.js'

const order = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' } as const
const opened = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'cross-site' }

/** The attacker has a page that the victim has opened, or stands in a login of theirs. */
export const gatewayAttacks: readonly Attack[] = [
  {
    name: 'no-csrf-header',
    title: 'Call without X-CSRF',
    at: 'gateway',
    says: 'A form of another page on this computer sends an order. The browser adds the session cookie by itself.',
    expected: 'bff.csrf.header_missing',
    remedy: 'Send X-CSRF: 1 with every call of a script. sallyport/browser does it.',
    href: errorPage('bff.csrf.header_missing'),
    async run({ gateway, signedIn }, strike) {
      const victim = await signedIn()
      await strike(() => victim.send(new URL('/api/orders', gateway), order))
    },
  },
  {
    name: 'other-site',
    title: 'Call from another site',
    at: 'gateway',
    says: 'A script of another site calls with the cookie, and even adds X-CSRF. Browsers tell the truth about where it comes from.',
    expected: 'bff.csrf.cross_site',
    remedy: 'Open the application at its PublicUrl; a page that is served elsewhere has to be the ClientUrl.',
    href: errorPage('bff.csrf.cross_site'),
    async run({ gateway, signedIn }, strike) {
      const victim = await signedIn()
      const headers = { 'X-CSRF': '1', Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
      await strike(() => victim.send(new URL('/api/orders', gateway), { ...order, headers }))
    },
  },
  {
    name: 'broken-cookie',
    title: 'Guess a session',
    at: 'gateway',
    says: 'One letter of a genuine cookie is another one. There is no session of that name, and the cookie is half of its key.',
    expected: 'bff.session.ended',
    remedy: 'Go to loginUrl: the user signs in again.',
    href: errorPage('bff.session.ended'),
    async run({ fetch, gateway, signedIn }, strike) {
      const guessed = (await signedIn()).cookies().replace(/=./g, (begin) => (begin === '=A' ? '=B' : '=A'))
      const headers = { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin', Cookie: guessed }
      await strike(() => fetch(new URL('/api/orders', gateway), { headers }))
    },
  },
  {
    name: 'drop-iss',
    title: 'Drop iss from the answer',
    at: 'gateway',
    says: 'The answer of a login does not say which server it is from. With several servers, one could pass for another (mix-up).',
    expected: 'bff.login.issuer_mismatch',
    remedy: 'Use a server that sends iss (RFC 9207). sallyport check says whether it does.',
    href: errorPage('bff.login.issuer_mismatch'),
    async run({ victim, answerOfLogin }, strike) {
      const answer = await answerOfLogin()
      answer.searchParams.delete('iss')
      await strike(() => victim.send(answer, { headers: opened }))
    },
  },
  {
    name: 'other-iss',
    title: 'Answer as another server',
    at: 'gateway',
    says: 'The same, with the name of another server in iss.',
    expected: 'bff.login.issuer_mismatch',
    remedy: 'Authority has to be the server’s issuer, character by character.',
    href: errorPage('bff.login.issuer_mismatch'),
    async run({ victim, answerOfLogin }, strike) {
      const answer = await answerOfLogin()
      answer.searchParams.set('iss', 'https://evil.example')
      await strike(() => victim.send(answer, { headers: opened }))
    },
  },
  {
    name: 'other-browser',
    title: 'Finish a login in another browser',
    at: 'gateway',
    says: 'The victim opens the attacker’s answer, and would work in the attacker’s account from then on. Or the other way round.',
    expected: 'bff.login.transaction_absent',
    remedy: 'Sign in again, in one go. If it always happens, the browser does not keep the cookie.',
    href: errorPage('bff.login.transaction_absent'),
    async run({ newBrowser, answerOfLogin }, strike) {
      const answer = await answerOfLogin()
      const other = newBrowser()
      // The gateway lets the browser look again for a cookie that does not come with another site's redirect.
      await other.send(answer, { headers: opened })
      await strike(() => other.send(answer, { headers: { ...opened, 'Sec-Fetch-Site': 'same-origin' } }))
    },
  },
]
