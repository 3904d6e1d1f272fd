import type { Prover } from '../../dpop/prover.js'

/** What a forwarded call carries. Made by `tokens.ts`, used by `forward.ts`. */
export type Credentials =
  | { readonly kind: 'dpop'; readonly accessToken: string; readonly prover: Prover }
  /** Baseline profile only. */
  | { readonly kind: 'bearer'; readonly accessToken: string }
  /** Who the user is, for an API that takes no tokens. */
  | { readonly kind: 'assertion'; readonly field: string; readonly assertion: string }
  | { readonly kind: 'none' }
