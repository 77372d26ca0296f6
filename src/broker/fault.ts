import { RedisDistroError } from '../core/errors.js'

const refusals =
  /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MISCONF|NOREPLICAS|NOPERM|NOAUTH|WRONGPASS|BUSY|TRYAGAIN|UNBLOCKED)/
/** A script that its user may not go on with; what it did before stands. */
const stopped = /ACL failure in script|user executing the script can't/
const notSent =
  /isn't (writeable|ready)|ECONNREFUSED|ENOTFOUND|connect ETIMEDOUT|None of startup nodes|^Too many Cluster redirections(?!.*(timed out|answer is lost))/i

/** What a user may not do, where a call was refused for that. */
export function lackOf(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error)
  if (!message.startsWith('NOPERM') && !stopped.test(message)) return undefined
  const [, command] = /run the '([^']+)' command/.exec(message) ?? []
  if (command !== undefined) return `the command '${command}'`
  return /\bkeys?\b/.test(message) ? 'the keys' : 'a command of a script'
}

/** What a failed call means for the caller: nothing written, perhaps written, or full. */
export function faultOf(error: unknown, says: string): RedisDistroError {
  const message = error instanceof Error ? error.message : String(error)
  const cause = { cause: error }
  if (message.startsWith('OOM') || message.includes("'maxmemory'")) {
    return new RedisDistroError(
      'store_full',
      `${says} is out of memory and takes no new tasks`,
      cause,
    )
  }
  if (refusals.test(message)) {
    return new RedisDistroError('store_away', `${says} refuses: ${message}`, cause)
  }
  if (stopped.test(message)) {
    const words = `${says} refuses: ${message}; give its user the rights of docs/redis.md`
    return new RedisDistroError('store_unknown', words, cause)
  }
  if (notSent.test(message)) {
    return new RedisDistroError('store_away', `${says} is away`, cause)
  }
  if (error instanceof Error && error.name === 'ReplyError') {
    return new RedisDistroError('internal', `${says} answered: ${message}`, cause)
  }
  return new RedisDistroError(
    'store_unknown',
    `${says} did not answer (${message}); what was sent may have been done`,
    cause,
  )
}

/** True where the script is not in Redis's cache. */
export const isUnknownScript = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOSCRIPT')
