/**
 * Stands in for an object whose methods are all asynchronous: the first call makes it, and every
 * call is handed on to it. `open` is asked at each call and remembers what it made.
 */
export function lazily<Target extends object>(open: () => Promise<Target>): Target {
  return new Proxy({} as Target, {
    get(_, name) {
      // Awaiting the stand-in itself must not look like a promise.
      if (name === 'then') return undefined
      return async (...args: unknown[]) => {
        const target = await open()
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') throw new TypeError(`${String(name)} is not a method`)
        return Reflect.apply(method, target, args)
      }
    },
  })
}
