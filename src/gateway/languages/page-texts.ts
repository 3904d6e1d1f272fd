import type { RefusalCode } from '../refusal.js'
import type { Advice } from '../refusal-advice.js'

/** What the gateway's own pages say, in one language. */
export interface PageTexts {
  /** BCP 47. */
  readonly language: string
  /** Instead of the English words; what is missing is said in English. */
  readonly advice: Readonly<Partial<Record<RefusalCode, Advice>>>
  readonly signIn: string
  readonly signOut: string
  readonly back: string
  readonly code: string
  readonly request: string
  /** Before what the developer is told, which is English. */
  readonly reason: string
  readonly oneMoment: string
  readonly goOn: string
}
