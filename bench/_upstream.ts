import { createServer } from 'node:net'

/**
 * An upstream that costs next to nothing, so that what is measured is what stands in front of it: fixed answers to
 * requests without a body, on bare sockets. `/api/200b`, `/api/100k`, `/api/200m`.
 */
const head = (length: number): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: ${length}\r\n\r\n`
const answer = (length: number): Buffer => Buffer.concat([Buffer.from(head(length)), Buffer.alloc(length, 'x')])
const [small, medium] = [answer(200), answer(100 * 1024)]
const piece = Buffer.alloc(256 * 1024, 'x')
const pieces = 800

const server = createServer((socket) => {
  socket.setNoDelay(true).on('error', () => {})
  let rest = ''
  socket.on('data', (data) => {
    const text = rest + data.toString('latin1')
    let from = 0
    for (let end = text.indexOf('\r\n\r\n', from); end !== -1; end = text.indexOf('\r\n\r\n', from)) {
      const size = /\/(200b|100k|200m)/.exec(text.slice(from, text.indexOf('\r\n', from)))?.[1]
      from = end + 4
      if (size === '100k') socket.write(medium)
      else if (size !== '200m') socket.write(small)
      else {
        socket.write(head(piece.length * pieces))
        let left = pieces
        const pump = (): void => {
          while (left > 0 && !socket.destroyed) {
            left--
            if (!socket.write(piece)) {
              socket.once('drain', pump)
              return
            }
          }
        }
        pump()
      }
    }
    rest = text.slice(from)
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
