import { dirname } from 'node:path'
import { fileKind } from '../config/file-kind.js'
import type { Configuration } from '../config/load.js'
import { noted, type Trial } from './probe/probe.js'

/** A socket is made at the start, its folder is not: what starts the process may make it before (systemd does). */
export function socketFolders({ server: { listen, forwardAuth } }: Configuration): readonly Trial[] {
  const sockets = [
    { pointer: '/Server/Listen', path: listen.path },
    { pointer: '/Server/ForwardAuth/Listen', path: forwardAuth?.listen.path },
  ]
  return sockets.flatMap(({ pointer, path }) =>
    path === undefined || fileKind(dirname(path)) === 'folder'
      ? []
      : [
          noted(
            pointer,
            `is a socket in ${dirname(path)}, which is no folder yet`,
            'Make it, for the user that runs sallyport; or have systemd make it (RuntimeDirectory).',
          ),
        ],
  )
}
