import type { Notes, SecretToKeep } from './imported.js'

/** Where a secret goes that another program's file has, or should have. */
export interface SecretPlace {
  /** Of the frontend: names the file, or the variable. */
  readonly name: string
  readonly kind: 'client key' | 'client secret'
  /** The other program's setting. */
  readonly setting: string
}

/** A reference to a secret, for the configuration: to a file that it is put into, or to a variable that is still to be set. */
export function secretReference(
  content: string | undefined,
  { name, kind, setting }: SecretPlace,
  secrets: SecretToKeep[],
  notes: Notes,
): { readonly File: string } | { readonly Env: string } {
  if (content !== undefined) {
    const file = `keys/${name}.${kind === 'client key' ? 'jwk' : 'secret'}`
    secrets.push({ file, content })
    return { File: `./${file}` }
  }
  const variable = `${name.replaceAll('-', '_')}_${kind.replace(' ', '_')}`.toUpperCase()
  notes.missing(
    setting,
    `put the ${kind}${kind === 'client key' ? ' (a private JWK)' : ''} into the environment variable ${variable}, or write {"File": "…"}.`,
  )
  return { Env: variable }
}
