/** Also one that has no end. */
const quoted = /"(?:[^"\\]|\\.?)*(?:"|$)/g
/** A scheme stands alone or before a space; what has an equals sign is a parameter. */
const scheme = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]+[^=\s]|$)/

/**
 * Whether a `WWW-Authenticate` speaks of tokens only. Anything else makes a browser ask for a password in our name, and one
 * field can hold several challenges.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 RFC 9110 §11.6.1}
 */
export function isTokenChallenge(field: string): boolean {
  const [first = '', ...others] = field.replace(quoted, 'text').split(',')
  return isTokenScheme(first) && others.every((element) => !scheme.test(element.trim()) || isTokenScheme(element))
}

function isTokenScheme(element: string): boolean {
  return /^(?:DPoP|Bearer)$/i.test(scheme.exec(element.trim())?.[1] ?? '')
}
