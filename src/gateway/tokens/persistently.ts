import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../../errors.js'

/** A rotated refresh token that is not written down is a session lost: a store that blinks gets a few more tries. */
export async function persistently<Result>(write: () => Promise<Result>): Promise<Result> {
  for (const wait of [100, 400, 1500]) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error
      await delay(wait)
    }
  }
  return write()
}
