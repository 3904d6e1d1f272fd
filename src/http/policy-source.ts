/**
 * A URL's origin as a Content-Security-Policy can say it. There is no word for an IPv6 address there (CSP3 §2.3.1), and
 * browsers complain of what they cannot read; then it is the scheme.
 */
export function policySource(url: URL): string {
  return url.hostname.startsWith('[') ? url.protocol : url.origin
}

/**
 * Where a form may lead that ends in a redirect to one of these. Chromium holds every redirect after it to `form-action`,
 * also those that the other side makes on its own site or on to a page that it serves elsewhere. We cannot know them all;
 * that they are https, or on this machine in development, we can.
 */
export function redirectSources(uris: readonly string[]): readonly string[] {
  return [...new Set(['https:', ...uris.map((uri) => new URL(uri).protocol)])].filter((scheme) =>
    /^https?:$/.test(scheme),
  )
}
