/** What is before the path of a Unix socket, in settings and in logs. */
export const unixPrefix = 'unix:'

/** @param path of the socket */
export function unixSocketText(path: string): string {
  return unixPrefix + path
}
