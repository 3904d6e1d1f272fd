const form = /^(?:(\d{1,5})\.)?(\d{1,2}):([0-5]\d):([0-5]\d)$/

/** `hh:mm:ss`, or `d.hh:mm:ss` from a day on: the original's notation. */
export function isDuration(value: string): boolean {
  const match = form.exec(value)
  return match !== null && Number(match[2]) < 24
}

/** In seconds. */
export function seconds(duration: string): number {
  const [, days = '0', hours = '0', minutes = '0', rest = '0'] = form.exec(duration) ?? []
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(rest)
}
