/** What the other side asked for by `ui_locales`, else what the browser prefers, else the first one that there is. */
export function preferredLanguage<Texts extends { readonly language: string }>(
  [first, ...others]: readonly [Texts, ...Texts[]],
  uiLocales: readonly string[],
  acceptLanguage: string | undefined,
): Texts {
  for (const locale of [...uiLocales, ...preferred(acceptLanguage ?? '')]) {
    const [primary = ''] = locale.toLowerCase().split('-')
    const known = [first, ...others].find(({ language }) => language === primary)
    if (known !== undefined) return known
  }
  return first
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4 RFC 9110 §12.5.4} */
function preferred(header: string): readonly string[] {
  return header
    .slice(0, 256)
    .split(',')
    .map((item) => {
      const [range = '', ...parameters] = item.split(';').map((part) => part.trim())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return { range, quality: weight === undefined ? 1 : Number(weight.slice(2)) || 0 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((left, right) => right.quality - left.quality)
    .map(({ range }) => range)
}
