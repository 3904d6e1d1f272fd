/** Whether a long secret is one that a person has typed to have it long: `xxxx…`, `12341234…`. Of 32 by chance more differ. */
export function repeatsItself(secret: string): boolean {
  return new Set(secret).size < 8
}
