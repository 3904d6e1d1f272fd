import cluster from 'node:cluster'
import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect, type ListenOptions } from 'node:net'
import { addressText, type ListenAddress } from '../config/listen-address.js'
import { ConfigurationError } from '../errors.js'

/**
 * Listens where a setting says.
 * @returns `127.0.0.1:3000`, with the port that was really had, or `unix:` and the path
 * @throws ConfigurationError when the address cannot be had
 */
export async function bind(server: Server, pointer: string, address: ListenAddress): Promise<string> {
  try {
    if (address.path !== undefined) {
      await bindUnixSocket(server, address.path)
      return addressText(address)
    }
    await listening(server, { host: address.host, port: address.port })
    return addressText({ ...address, port: (server.address() as AddressInfo).port })
  } catch (cause) {
    const problem = bindProblem(cause as NodeJS.ErrnoException, address.path ?? addressText(address), pointer)
    throw new ConfigurationError([{ pointer, ...problem }], { cause })
  }
}

function listening(server: Server, place: ListenOptions): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(place, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** For the owner and the group: the proxy is made a member of it. */
async function bindUnixSocket(server: Server, path: string): Promise<void> {
  // Workers have it from their primary process.
  if (!cluster.isWorker) await removeStaleSocket(path)
  await listening(server, { path })
  await chmod(path, 0o660)
}

/** A process that was killed leaves its socket behind, and no one answers there. Any other file stays. */
export async function removeStaleSocket(path: string | undefined): Promise<void> {
  if (path === undefined) return
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSocket() === true && !(await answers(path))) await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      resolve(true)
      socket.destroy()
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'))
  })
}

function bindProblem({ code, message }: NodeJS.ErrnoException, address: string, pointer: string) {
  switch (code) {
    case 'EADDRINUSE':
      return {
        problem: `is ${address}, which another program listens on`,
        remedy: `Stop that program, or write another ${address.startsWith('/') ? 'path' : 'port'}: in the file, or in the variable ${pointer.slice(1).replaceAll('/', '__')}.`,
      }
    case 'EACCES':
      return {
        problem: `is ${address}, which this user may not listen on`,
        remedy: address.startsWith('/')
          ? 'Write a path in a folder that this user may write to.'
          : 'Write a port from 1024 on, or let the system allow it.',
      }
    case 'ENOENT':
      return { problem: `is ${address}, whose folder is not there`, remedy: 'Make the folder, or write another path.' }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return {
        problem: `is ${address}, which is no address of this machine`,
        remedy: 'Write 127.0.0.1 for this machine only, or 0.0.0.0 for every network.',
      }
    default:
      return { problem: `cannot be listened on: ${message}`, remedy: 'Write another address.' }
  }
}
