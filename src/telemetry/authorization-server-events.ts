/** What happens in the authorization server. `requestId` is that of the client's own request, where it has named one. */
export type AuthorizationServerEvent =
  | { readonly type: 'as.request.pushed'; readonly requestId: string; readonly client: string }
  | {
      readonly type: 'as.sign-in.succeeded'
      readonly requestId: string
      readonly client: string
      readonly subject: string
    }
  | {
      readonly type: 'as.sign-in.failed'
      readonly requestId: string
      readonly client: string
      /** Masked. */
      readonly address: string
      /** Where there is a user by that name. What is no user's name may be a password in the wrong field. */
      readonly subject?: string
    }
  | { readonly type: 'as.code.issued'; readonly requestId: string; readonly client: string; readonly subject: string }
  | { readonly type: 'as.code.reused'; readonly requestId: string; readonly client: string }
  | {
      readonly type: 'as.token.issued'
      readonly requestId: string
      readonly client: string
      readonly grant: string
      readonly subject: string
      /** Thumbprint of the key that it is bound to. */
      readonly jkt?: string
      /** Thumbprint of the certificate (`x5t#S256`) where it is bound to that. */
      readonly certificate?: string
      readonly jti: string
    }
  | { readonly type: 'as.token.revoked'; readonly requestId: string; readonly client: string }
  | {
      readonly type: 'as.request.refused'
      readonly endpoint: string
      readonly requestId: string
      /** What a sender said who has not proved to be a client. */
      readonly claimedRequestId?: string
      readonly client?: string
      readonly code: string
      readonly reason: string
    }
  | {
      readonly type: 'as.request.failed'
      readonly endpoint: string
      readonly requestId?: string
      readonly claimedRequestId?: string
      readonly client?: string
      readonly error: string
    }
  | { readonly type: 'as.key.rotated'; readonly kid: string; readonly algorithm: string }
  | { readonly type: 'as.keys.unavailable'; readonly error: string }
  | {
      readonly type: 'as.replay.detected'
      readonly requestId: string
      readonly kind: 'assertion' | 'proof'
      readonly client?: string
    }
  /** How many were refused since the last one; of the last of them, the network. */
  | { readonly type: 'as.network.limited'; readonly limit: string; readonly network: string; readonly refused: number }
  | { readonly type: 'as.consent.given'; readonly requestId: string; readonly client: string; readonly subject: string }
  | { readonly type: 'as.session.ended'; readonly requestId: string; readonly subject: string; readonly sid: string }
  | {
      readonly type: 'as.backchannel-logout.sent'
      /** Of the logout. */
      readonly requestId: string
      readonly client: string
      readonly sid: string
      readonly delivered: boolean
      readonly attempts: number
    }
