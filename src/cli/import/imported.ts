/** A configuration made from another program's. */
export interface Imported {
  /** In the notation of frontends.json. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Secrets, each for a file of its own: they do not stand in the configuration. */
  readonly secrets: readonly SecretToKeep[]
  readonly notes: readonly Note[]
}

export interface SecretToKeep {
  /** Relative to the configuration: `keys/app.secret`. */
  readonly file: string
  readonly content: string
}

/** What a person has to know of a setting. */
export interface Note {
  /** `missing`: fill it in. `dropped`: it is not taken over. `changed`: it is, and something is different from now on. */
  readonly kind: 'missing' | 'dropped' | 'changed'
  /** The setting: of the other program, or of ours where it is missing. */
  readonly setting: string
  readonly text: string
}

/** Collects what a person has to know. */
export interface Notes {
  readonly all: readonly Note[]
  missing(setting: string, text: string): void
  dropped(setting: string, text: string): void
  changed(setting: string, text: string): void
}

export function createNotes(): Notes {
  const all: Note[] = []
  const adding = (kind: Note['kind']) => (setting: string, text: string) => void all.push({ kind, setting, text })
  return { all, missing: adding('missing'), dropped: adding('dropped'), changed: adding('changed') }
}

/** What no other program says: the origin that browsers see. */
export const placeholderUrl = 'https://app.example.com'

/** Without the members that are not there, so that the file has no `null`. */
export function present<Value extends object>(value: Value): Partial<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<Value>
}

/** A name that cookies, files and we take: letters, digits, `-` and `_`. */
export function plainName(name: string): string {
  return name.replace(/[^\w-]+/g, '-').replace(/^-+|-+$/g, '') || 'app'
}
