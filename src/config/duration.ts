const form = /^(?:(\d{1,5})\.)?(\d{1,2}):([0-5]\d):([0-5]\d)$/

/** `hh:mm:ss`, or `d.hh:mm:ss` from a day on: the original's notation. */
export function isDuration(value: string): boolean {
  const match = form.exec(value)
  return match !== null && Number(match[2]) < 24
}

/** What is said of a text that is none. */
export const notADuration = 'is not a duration'

/** In seconds. */
export function seconds(duration: string): number {
  const [, days = '0', hours = '0', minutes = '0', rest = '0'] = form.exec(duration) ?? []
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(rest)
}

/** How to write what was probably meant. */
export function durationRemedy(given: unknown): string | undefined {
  const meant = secondsMeant(given)
  if (meant === undefined || !Number.isSafeInteger(meant) || meant >= 100_000 * 86_400) return undefined
  return `Write "${durationOf(meant)}" (${meant < 86_400 ? 'hours, minutes, seconds' : 'days, then hours, minutes, seconds'}).`
}

function secondsMeant(given: unknown): number | undefined {
  if (typeof given === 'number') return given
  if (typeof given !== 'string') return undefined
  const text = given.trim()
  if (/^\d+$/.test(text)) return Number(text)
  const clock = /^(?:(\d+)\.)?(\d+):(\d{1,2})(?::(\d{1,2}))?$/.exec(text)
  if (clock !== null) {
    const [, days = '0', hours = '0', minutes = '0', rest = '0'] = clock
    return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(rest)
  }
  // ISO 8601 (`PT8H`), and what programs of Go and of Unix take (`8h30m`, `90s`).
  const units = /^P?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M(?:IN(?:UTES?)?)?)?(?:(\d+)S(?:EC(?:ONDS?)?)?)?$/i.exec(
    text.replace(/\s+/g, ''),
  )
  if (units === null || units.slice(1).every((part) => part === undefined)) return undefined
  const [days = 0, hours = 0, minutes = 0, rest = 0] = units.slice(1).map((part) => Number(part ?? 0))
  return ((days * 24 + hours) * 60 + minutes) * 60 + rest
}

/** @param all seconds */
export function durationOf(all: number): string {
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0')
  const clock = `${two((all % 86_400) / 3600)}:${two((all % 3600) / 60)}:${two(all % 60)}`
  return all < 86_400 ? clock : `${Math.trunc(all / 86_400)}.${clock}`
}
