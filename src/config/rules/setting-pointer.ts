/** What the file writes instead of a part of an option's pointer whose names begin with capitals. */
export type Renamed = readonly (readonly [option: RegExp, setting: string])[]

/**
 * Where the file has an option: `/frontends/0/routes/1/bodyLimit` is `/Bff/Frontends/0/Routes/1/BodyLimit`.
 * Members of `authorizationParameters` and `claims` are the operator's own names, and stay.
 * @param renamed where its names differ by more than their first letter; each is applied
 */
export function settingPointer(option: string, renamed: Renamed): string {
  const capitals = option.replace(
    /(?<!\/(?:authorizationParameters|claims))\/([a-z])/g,
    (_, letter: string) => `/${letter.toUpperCase()}`,
  )
  return renamed.reduce((pointer, [from, to]) => pointer.replace(from, to), capitals)
}
