/**
 * The `typ` of a JOSE header in its one form: media types have no case, and `application/` may be left out.
 * @returns undefined for what is not a text
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9 RFC 7515 §4.1.9}
 */
export function joseType({ typ }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof typ !== 'string') return undefined
  const lowered = typ.toLowerCase()
  return /^application\/[^/]+$/.test(lowered) ? lowered.slice('application/'.length) : lowered
}
