import type { Notes } from './imported.js'
import type { Section } from './section.js'

/** What to do instead of a setting that has no counterpart, by its last name in small letters. */
export type Advice = Readonly<Record<string, string>>

/** Names what stands in a section and was not read. @param silent Sections of other concerns: logging, connection strings */
export function noteUnread(section: Section, advice: Advice, notes: Notes, silent: readonly string[] = []): void {
  for (const place of section.unread()) {
    if (silent.includes(place.split(':')[0]?.toLowerCase() ?? '')) continue
    // What is dropped as a whole is named once.
    if (notes.all.some(({ kind, setting }) => kind === 'dropped' && place.startsWith(`${setting}:`))) continue
    const name = place.split(':').at(-1)?.toLowerCase() ?? ''
    notes.dropped(place, advice[name] ?? 'it has no counterpart here.')
  }
}
