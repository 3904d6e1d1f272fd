/**
 * What can be named as `resource`: an absolute URI without fragment.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export function isResourceIndicator(text: string): boolean {
  return URL.canParse(text) && /^[!-~]+$/.test(text) && !text.includes('#')
}
