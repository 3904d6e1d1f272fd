/** A section of another program's settings. What was not read of it is known, so that nothing is lost without a word. */
export interface Section {
  /** Its place, as the other program writes it: `Bff:Frontends:0`. */
  readonly place: string
  /** Whether something stands there. Names are compared without regard to case, as .NET does. */
  has(name: string): boolean
  text(name: string): string | undefined
  flag(name: string): boolean | undefined
  /** Of a list, or of one text alone. */
  texts(name: string): readonly string[] | undefined
  /** Marks it as read, and gives it as it is. */
  value(name: string): unknown
  section(name: string): Section
  /** The entries of a list or of an object, by their index or name. */
  sections(name: string): readonly (readonly [string, Section])[]
  /** Places of what stands in it and was never read, its sections' too. */
  unread(): readonly string[]
}

export function sectionOf(value: unknown, place = ''): Section {
  const entries = new Map<string, [name: string, value: unknown]>()
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    for (const [name, member] of Object.entries(value)) entries.set(name.toLowerCase(), [name, member])
  const below = new Map<string, readonly Section[]>()
  const read = new Set<string>()
  const placeOf = (name: string): string => (place === '' ? name : `${place}:${name}`)
  const take = (name: string): unknown => {
    read.add(name.toLowerCase())
    return entries.get(name.toLowerCase())?.[1] ?? undefined
  }

  return {
    place,
    has: (name) => (entries.get(name.toLowerCase())?.[1] ?? undefined) !== undefined,
    value: take,
    text(name) {
      const found = take(name)
      return typeof found === 'string' && found !== '' ? found : typeof found === 'number' ? String(found) : undefined
    },
    flag(name) {
      const found = take(name)
      // appsettings.json has "true" as well as true.
      return typeof found === 'boolean' ? found : typeof found === 'string' ? /^true$/i.test(found) : undefined
    },
    texts(name) {
      const found = take(name)
      if (typeof found === 'string') return [found]
      return Array.isArray(found) ? found.filter((entry) => typeof entry === 'string') : undefined
    },
    section(name) {
      const section = sectionOf(take(name), placeOf(entries.get(name.toLowerCase())?.[0] ?? name))
      below.set(name.toLowerCase(), [section])
      return section
    },
    sections(name) {
      const found = take(name)
      const named = placeOf(entries.get(name.toLowerCase())?.[0] ?? name)
      const sections =
        typeof found === 'object' && found !== null
          ? Object.entries(found).map(([key, entry]) => [key, sectionOf(entry, `${named}:${key}`)] as const)
          : []
      below.set(
        name.toLowerCase(),
        sections.map(([, section]) => section),
      )
      return sections
    },
    unread() {
      return [...entries].flatMap(([key, [name, member]]) => {
        if (member === null || member === '') return []
        if (read.has(key)) return below.get(key)?.flatMap((section) => [...section.unread()]) ?? []
        return [placeOf(name)]
      })
    },
  }
}
