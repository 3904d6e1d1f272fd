/** What happens in the authorization server. */
export type AuthorizationServerEvent =
  | { readonly type: 'as.request.pushed'; readonly client: string }
  | { readonly type: 'as.sign-in.succeeded'; readonly subject: string }
  | { readonly type: 'as.sign-in.failed'; readonly address: string }
  | { readonly type: 'as.code.issued'; readonly client: string; readonly subject: string }
  | { readonly type: 'as.code.reused'; readonly client: string }
  | {
      readonly type: 'as.token.issued'
      readonly client: string
      readonly grant: string
      readonly subject: string
      readonly jkt: string
      readonly jti: string
    }
  | { readonly type: 'as.token.revoked'; readonly client: string }
  | {
      readonly type: 'as.request.refused'
      readonly endpoint: string
      readonly client?: string
      readonly code: string
      readonly reason: string
    }
  | { readonly type: 'as.request.failed'; readonly endpoint: string; readonly error: string }
  | { readonly type: 'as.key.rotated'; readonly kid: string; readonly algorithm: string }
  | { readonly type: 'as.keys.unavailable'; readonly error: string }
  | { readonly type: 'as.replay.detected'; readonly kind: 'assertion' | 'proof'; readonly client?: string }
  /** How many were refused since the last one; of the last of them, the network. */
  | { readonly type: 'as.network.limited'; readonly limit: string; readonly network: string; readonly refused: number }
  | { readonly type: 'as.consent.given'; readonly client: string; readonly subject: string }
  | { readonly type: 'as.session.ended'; readonly subject: string; readonly sid: string }
  | {
      readonly type: 'as.backchannel-logout.sent'
      readonly client: string
      readonly sid: string
      readonly delivered: boolean
      readonly attempts: number
    }
