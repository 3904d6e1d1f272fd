import type { Frontend } from '../gateway/frontend/frontend.js'

/** A frontend, as far as it is of interest to a request. */
export interface ExplainedFrontend {
  readonly name: string
  readonly base: string
  readonly sessionCookie: string
  /** Origins whose pages may show it in a frame. */
  readonly framedBy?: readonly string[]
  /** Where its users may sign in, where there are several to choose from. */
  readonly authorities?: readonly { readonly name: string; readonly authority: string }[]
}

export function explained({ name, base, sessionCookie, options }: Frontend): ExplainedFrontend {
  const { embedding, authorities } = options
  return {
    name,
    base,
    sessionCookie,
    ...(embedding && { framedBy: embedding.origins }),
    ...(authorities && {
      authorities: authorities.map((one) => ({ name: one.name, authority: one.authority ?? options.authority })),
    }),
  }
}
