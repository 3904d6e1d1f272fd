/** @throws DOMException `TimeoutError` when there is no reply in time: a store that hangs would hold every request. */
export function answeredWithin<Reply>(seconds: number, reply: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException('no answer in time', 'TimeoutError')), seconds * 1000)
    reply.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
