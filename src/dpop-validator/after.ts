/** Goes on at once when nothing has to be waited for: a turn of the event loop costs a tenth of a signature check. */
export function after<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
