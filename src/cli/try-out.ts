import type { Configuration } from '../config/load.js'

/** Something that was tried, and how it went. */
export interface Trial {
  /** What was tried, and for whom: `app: discovery of https://auth.example.com`. */
  readonly subject: string
  readonly outcome: 'passed' | 'failed' | 'noted'
  readonly result: string
  /** What to do about it. */
  readonly remedy?: string
}

export async function tryOut(_configuration: Configuration): Promise<readonly Trial[]> {
  return []
}
