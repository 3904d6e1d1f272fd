import type { Prover } from '../../dpop/prover.js'

/** What a forwarded call carries. Made by `tokens.ts`, used by `forward.ts`. */
export type Credentials =
  | { readonly kind: 'dpop'; readonly accessToken: string; readonly prover: Prover }
  /** Baseline profile only. */
  | { readonly kind: 'bearer'; readonly accessToken: string }
  | { readonly kind: 'none' }
