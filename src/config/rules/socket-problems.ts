import type { ConfigurationProblem } from '../../errors.js'
import type { ListenAddress } from '../listen-address.js'
import { problem } from './rule.js'

/** sun_path of Linux has 108 bytes, that of macOS 104, its end included. */
const longestPath = 103

/** What is wrong with the path of a Unix socket. */
export function* socketProblems(pointer: string, { path }: ListenAddress): Generator<ConfigurationProblem> {
  if (path !== undefined && Buffer.byteLength(path) > longestPath)
    yield problem(
      pointer,
      'is a longer path than a Unix socket can have',
      `Write one of at most ${longestPath} bytes, such as "unix:/run/sallyport/gateway.sock".`,
    )
}
