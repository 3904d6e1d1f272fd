import Negotiator from 'negotiator'

/** What the other side asked for by `ui_locales`, else what the browser prefers, else the first one that there is. */
export function preferredLanguage<Texts extends { readonly language: string }>(
  [first, ...others]: readonly [Texts, ...Texts[]],
  uiLocales: readonly string[],
  acceptLanguage: string | undefined,
): Texts {
  for (const locale of [...uiLocales, ...preferred(acceptLanguage)]) {
    const [primary = ''] = locale.toLowerCase().split('-')
    const known = [first, ...others].find(({ language }) => language === primary)
    if (known !== undefined) return known
  }
  return first
}

/**
 * Ranges in the order of their weights. Looked up one by one (RFC 4647 §3.4), for `de-CH` before `en` means German.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4 RFC 9110 §12.5.4}
 */
function preferred(acceptLanguage = ''): readonly string[] {
  return new Negotiator({ headers: { 'accept-language': acceptLanguage.slice(0, 256) } }).languages()
}
