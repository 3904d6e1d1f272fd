/** What `gateway.forwardAuth()` takes. */
export interface ForwardAuthOptions {
  /** CIDR ranges of proxies that may ask besides this machine. They see users' tokens. Default: none. */
  readonly trustedProxies?: readonly string[]
  /**
   * Header fields for the API, each with the claim of the user that it carries; `X-Auth-Subject: sub`. Dots lead into objects.
   * Default: none.
   */
  readonly identityFields?: Readonly<Record<string, string>>
}
