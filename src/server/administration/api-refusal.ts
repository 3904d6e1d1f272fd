/** Why the admin API says no. Stable, and explained in docs/errors.md. */
export const apiRefusals = {
  'admin.token.refused': { status: 401, title: 'The token is missing or wrong' },
  'admin.token.too_many': { status: 429, title: 'Too many wrong tokens have come from this network' },
  'admin.path.unknown': { status: 404, title: 'There is nothing at this path' },
  'admin.method.not_allowed': { status: 405, title: 'This path does not take this method' },
  'admin.request.malformed': { status: 400, title: 'The request cannot be understood' },
  'admin.session.unknown': { status: 404, title: 'No session has this handle' },
  'admin.store.unavailable': { status: 503, title: 'The store does not answer' },
  'admin.process.unavailable': { status: 503, title: 'No worker answers' },
  'admin.request.failed': { status: 500, title: 'A fault of ours' },
} as const satisfies Readonly<Record<`admin.${string}`, { readonly status: number; readonly title: string }>>

export type ApiRefusalCode = keyof typeof apiRefusals

export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal'
  readonly code: ApiRefusalCode
  readonly headers: Readonly<Record<string, string>>

  /** @param detail What is wrong and what to do. */
  constructor(code: ApiRefusalCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.code = code
    this.headers = headers
  }
}
