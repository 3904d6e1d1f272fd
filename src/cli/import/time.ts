import { durationOf, isDuration } from '../../config/duration.js'

/** `08:00:00`, `1.00:00:00`, `24:00:00` (.NET) or `168h0m0s`, `30s` (Go) in our notation. Undefined: none of these. */
export function durationFrom(text: string): string | undefined {
  if (isDuration(text)) return text
  const clock = /^(\d+):(\d{2}):(\d{2})(?:\.\d+)?$/.exec(text)
  if (clock !== null) {
    const [hours = 0, minutes = 0, seconds = 0] = clock.slice(1).map(Number)
    return durationOf(hours * 3600 + minutes * 60 + seconds)
  }
  const units = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text)
  if (text === '' || units === null) return undefined
  const [hours = 0, minutes = 0, seconds = 0] = units.slice(1).map((part) => Number(part ?? 0))
  return durationOf(hours * 3600 + minutes * 60 + seconds)
}
