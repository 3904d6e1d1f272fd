/** Every text on our pages, in one language. */
export interface Texts {
  /** BCP 47. */
  readonly language: string
  readonly signIn: string
  /** Under the heading: to what. */
  readonly toContinueTo: (client: string) => string
  readonly username: string
  readonly password: string
  readonly cancel: string
  readonly wrongCredentials: string
  readonly limited: (minutes: number) => string
  readonly busy: string
  readonly cookieNotKept: string
  readonly allowTitle: (client: string) => string
  readonly wantsTo: string
  /** Above the APIs. */
  readonly usedAt: string
  readonly allow: string
  readonly deny: string
  readonly signedInAs: string
  readonly notYou: string
  readonly willSendYouTo: (host: string) => string
  readonly scopes: Readonly<Record<string, string>>
  readonly errorTitle: string
  readonly errorAdvice: string
  readonly unavailable: string
  readonly errors: Readonly<Record<string, string>>
  readonly details: string
  /** Its id. */
  readonly request: string
  readonly signOutTitle: string
  readonly signOutQuestion: string
  readonly signOut: string
  readonly staySignedIn: string
  readonly signedOutTitle: string
  /** Where the client is gone on to by itself, after a moment. */
  readonly goOn: string
  readonly signedOutAdvice: string
  readonly stillSignedInTitle: string
}
