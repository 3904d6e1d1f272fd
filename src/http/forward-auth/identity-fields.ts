import { claimAt, claimPath, isScalar } from '../claim.js'

/** Names of header fields, each with the claim that it carries to the API. */
export type IdentityFields = Readonly<Record<string, string>>

/** What the fields say of a user. Each is there: an empty one takes the place of what a client has written. */
export type TellIdentity = (claims: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>

export function createIdentity(fields: IdentityFields): TellIdentity {
  const paths = Object.entries(fields).map(([name, claim]) => [name, claimPath(claim)] as const)
  return (claims) => Object.fromEntries(paths.map(([name, path]) => [name, fieldValue(claimAt(claims, path))]))
}

/**
 * A value as a header field can carry it: visible ASCII and spaces as they are, everything else and `%` by its UTF-8 bytes in
 * percent-encoding. The entries of a list are parted by commas, those within them encoded.
 */
function fieldValue(value: unknown): string {
  if (Array.isArray(value))
    return value
      .filter(isScalar)
      .map((entry) => encoded(String(entry)).replaceAll(',', '%2C'))
      .join(',')
  return isScalar(value) ? encoded(String(value)) : ''
}

function encoded(text: string): string {
  return text
    .replace(/[^ -$&-~]/gu, (character) =>
      [...Buffer.from(character, 'utf8')]
        .map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)
        .join(''),
    )
    .replace(/^ | $/g, '%20')
}
