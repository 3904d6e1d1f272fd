/** How many logins may be begun. */
export interface LoginLimits {
  /** From one IPv4 address or IPv6 /64 within the window. Default: 300. */
  readonly perAddress?: number
  /** Seconds. Default: 60. */
  readonly window?: number
}

/** WebSockets and event streams open at once, in this process. */
export interface StreamLimits {
  /** Default: 64. */
  readonly perSession?: number
  /** From one IPv4 address or IPv6 /64. Default: 1024. */
  readonly perAddress?: number
}

export interface SessionsPerUserOptions {
  readonly max: number
  /**
   * What happens to a login beyond: the sessions whose logins are the longest ago end, or the login is refused with
   * `bff.login.too_many_sessions`. Default: `EndOldest`.
   */
  readonly whenFull?: 'EndOldest' | 'RefuseNew'
}

/** How many calls within which time, counted in the store by all processes together. */
export interface RateLimitOptions {
  readonly requests: number
  /** Seconds, whole. The window slides: no span of this length has more. */
  readonly per: number
  /**
   * Whose calls are counted together: a session's (without a session, those of an address), or those of one IPv4 address or
   * one IPv6 /64. Default: `Session`.
   */
  readonly by?: 'Session' | 'Address'
}
