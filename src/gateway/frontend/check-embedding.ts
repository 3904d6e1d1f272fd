import type { FrontendOptions } from '../options.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** What cannot be beside `Embedding`: without it the cookie's `SameSite` would still be there to make up for it. */
export function* embeddingProblems(frontend: FrontendOptions): Generator<MemberProblem> {
  const { embedding, publicUrl, securityHeaders, contentSecurityPolicy = '', clientUrl, cors } = frontend
  if (embedding === undefined) return
  if (embedding.origins.length === 0)
    yield wrong('Embedding/Origins', 'is empty, so that no page may show it in a frame', 'Leave Embedding out.')
  for (const [index, origin] of embedding.origins.entries())
    if (!isSecureOrigin(origin))
      yield wrong(
        `Embedding/Origins/${index}`,
        'is not exactly one https origin',
        'Write it as browsers send it, as in "https://portal.example": no path, no pattern, no slash at its end.',
      )
  if (publicUrl.protocol !== 'https:')
    yield wrong(
      'Embedding',
      `needs https, and PublicUrl is ${publicUrl.origin}: cookies for frames have to be Secure`,
      'Give Server.Tls a certificate, or leave Embedding out.',
    )
  if (securityHeaders === 'None')
    yield wrong(
      'SecurityHeaders',
      'is "None", so that any site could show the page of Embedding in a frame',
      'Write "Spa" or "Strict".',
    )
  if (/frame-ancestors/i.test(contentSecurityPolicy))
    yield wrong(
      'ContentSecurityPolicy',
      'has a frame-ancestors of its own beside Embedding',
      'Leave that directive out: Embedding adds it.',
    )
  if (clientUrl !== undefined)
    yield wrong(
      'ClientUrl',
      'says that another server has the page, and Embedding can only say who may frame what the gateway serves',
      'Serve the page from here (StaticFilesPath), or leave Embedding out.',
    )
  if (cors !== undefined && cors.origins.length > 0)
    yield wrong(
      'Cors',
      'lets pages of other origins call with a cookie that Embedding sends from other sites, too',
      'Leave it out: a page in a frame calls its own origin.',
    )
}

/** CSP has no word for an IPv6 address (CSP3 §2.3.1). */
function isSecureOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && /^https:\/\/[a-z0-9.-]+(?::\d+)?$/.test(text)
}
