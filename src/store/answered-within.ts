/**
 * @throws DOMException `TimeoutError` when there is no reply in time: a store that hangs would hold every request.
 *
 * A busy process looks at its clock before it reads what has arrived. So it reads once more before it says that there is no reply.
 */
export function answeredWithin<Reply>(seconds: number, reply: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const overdue = () => setImmediate(() => reject(new DOMException('no answer in time', 'TimeoutError')))
    const timer = setTimeout(overdue, seconds * 1000)
    reply.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
