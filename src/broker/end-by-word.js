/**
 * Word of a failover that comes while a connection behind Sentinel is being made anew ends it for ever,
 * in ioredis's eyes. Only who closes it ends it: else it is made anew. Plain JavaScript, as what
 * opens connections is.
 * @param {import('ioredis').Redis} redis
 * @param {number} pause before it is made anew, in ms
 */
export function endOnlyByWord(redis, pause) {
  const disconnect = redis.disconnect
  let closing = false
  redis.disconnect = (reconnect = false) => {
    closing ||= !reconnect
    disconnect.call(redis, reconnect)
  }
  redis.on('end', () => {
    if (closing) return
    setTimeout(() => {
      if (!closing) redis.connect().catch(() => undefined)
    }, pause)
  })
  return redis
}
