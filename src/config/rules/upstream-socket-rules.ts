import { socketAddress } from '../socket-address.js'
import { problem, type Rule, repeated } from './rule.js'
import { socketProblems } from './socket-problems.js'

export const upstreamSocketRules: readonly Rule[] = [
  function* socketsLeadToOneApi({ frontends, directory, listen, settings }) {
    const { ForwardAuth } = settings.Server
    const own = [listen.path, ForwardAuth && socketAddress(ForwardAuth.Listen, directory).path]
    for (const { pointer, settings: frontend } of frontends)
      for (const [number, { Upstreams, Sockets }] of (frontend.Routes ?? []).entries()) {
        if (Sockets === undefined) continue
        const at = `${pointer}/Routes/${number}`
        const sockets = Sockets.map((value, index) => ({ index, address: socketAddress(value, directory) }))
        if (sockets.length === 0)
          yield problem(`${at}/Sockets`, 'is empty', 'Write the socket of the API, or leave Sockets out.')
        if (Upstreams.length > 1)
          yield problem(
            `${at}/Upstreams`,
            'has several URLs, and the Sockets of a route lead to one',
            'Write the URL by which the API knows itself; or a route for each.',
          )
        for (const { index, address } of sockets) {
          yield* socketProblems(`${at}/Sockets/${index}`, address)
          if (own.includes(address.path))
            yield problem(
              `${at}/Sockets/${index}`,
              'is this gateway itself: each call would come back here until something breaks',
              'Write the socket on which the API listens.',
            )
        }
        for (const [{ index }] of repeated(sockets, ({ address }) => String(address.path)))
          yield problem(`${at}/Sockets/${index}`, 'is there twice', 'Keep one of the two.')
      }
  },
]
