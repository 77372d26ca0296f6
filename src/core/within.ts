/** What the call comes to; undefined where it takes longer than `ms`. */
export function within<Result>(ms: number, call: Promise<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms)
    call.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Settles as the call does, or throws `late()` after `ms`. */
export function inTime<Result>(
  ms: number,
  call: Promise<Result>,
  late: () => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms)
    call.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
