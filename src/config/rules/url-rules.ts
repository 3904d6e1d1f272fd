import { isLoopback } from '../../http/loopback.js'
import type { FrontendPlan } from '../plan.js'
import { problem, type Rule } from './rule.js'

export const urlRules: readonly Rule[] = [
  function* publicUrlsAreOrigins({ frontends }) {
    for (const { url, pointer } of publicUrlsOf(frontends)) {
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
        yield problem(
          pointer,
          'is more than an origin',
          `Write "${url.origin}", and the path as the frontend's PathPrefix.`,
        )
      if (url.protocol === 'http:' && !isLoopback(url.hostname))
        yield problem(
          pointer,
          'is plain http: over it everyone on the network could read and set the session cookie',
          `Write "https://${url.host}". http is for localhost only.`,
        )
    }
  },

  function* otherUrlsAreSafe({ bff, frontends }) {
    const urls = [
      { value: bff?.Authority, pointer: '/Bff/Authority', isOrigin: false },
      ...frontends.flatMap(({ pointer, settings }) => [
        { value: settings.Authority, pointer: `${pointer}/Authority`, isOrigin: false },
        { value: settings.ClientUrl ?? undefined, pointer: `${pointer}/ClientUrl`, isOrigin: true },
        { value: settings.DevelopmentServer ?? undefined, pointer: `${pointer}/DevelopmentServer`, isOrigin: true },
        ...(settings.Cors?.Origins ?? []).map((value, index) => ({
          value,
          pointer: `${pointer}/Cors/Origins/${index}`,
          isOrigin: true,
        })),
      ]),
    ]
    for (const { value, pointer, isOrigin } of urls) {
      const url = value === undefined ? undefined : new URL(value)
      if (url?.protocol === 'http:' && !isLoopback(url.hostname))
        yield problem(
          pointer,
          'is plain http',
          `Write "https://${url.host}${url.pathname}". http is for localhost only.`,
        )
      if (url !== undefined && (url.search !== '' || url.hash !== ''))
        yield problem(pointer, 'has a query or a fragment', `Write "${url.origin}${url.pathname}".`)
      if (url !== undefined && isOrigin && url.pathname !== '/')
        yield problem(pointer, 'is more than an origin', `Write "${url.origin}".`)
    }
  },

  function* hostsFitThePublicUrl({ frontends }) {
    for (const { pointer, settings, publicUrl } of frontends)
      if (settings.Hosts?.length && publicUrl !== undefined && !settings.Hosts.includes(publicUrl.host))
        yield problem(
          `${pointer}/Hosts`,
          `does not have ${publicUrl.host}, where the authorization server sends browsers back to`,
          `Add "${publicUrl.host}", or give the frontend a PublicUrl of its own.`,
        )
  },
]

/** Each once: several frontends may have it from one place. */
function publicUrlsOf(frontends: readonly FrontendPlan[]): Iterable<{ readonly url: URL; readonly pointer: string }> {
  const found = new Map<string, { readonly url: URL; readonly pointer: string }>()
  for (const { publicUrl, publicUrlPointer } of frontends)
    if (publicUrl !== undefined) found.set(publicUrlPointer, { url: publicUrl, pointer: publicUrlPointer })
  return found.values()
}
