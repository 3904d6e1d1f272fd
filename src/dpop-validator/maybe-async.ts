/** Goes on at once when nothing has to be waited for: a turn of the event loop costs a tenth of a signature check. */
export function after<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Does one step after the other, waiting only for those that need it. */
export function inOrder<Subject>(
  steps: readonly ((subject: Subject) => undefined | Promise<undefined>)[],
  subject: Subject,
  begin = 0,
): undefined | Promise<undefined> {
  for (let at = begin; at < steps.length; at++) {
    const waiting = steps[at]?.(subject)
    if (waiting !== undefined) return waiting.then(() => inOrder(steps, subject, at + 1))
  }
  return undefined
}
