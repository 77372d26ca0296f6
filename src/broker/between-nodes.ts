import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../core/clock.js'
import { inTime } from '../core/within.js'

/** In ms; most slots are on their way for less. */
const pause = 50
const between = /\b(TRYAGAIN|(Last error: ReplyError: (MOVED|ASK)))\b/

/**
 * True where a slot's keys lie on two nodes of a cluster just then, so that no script may run on them:
 * either node says so, or that it is the other's turn.
 */
const isBetweenNodes = (error: unknown): boolean =>
  error instanceof Error && between.test(error.message)

const timedOut = () => new Error('Command timed out')

/**
 * Makes a call on a slot that may be moving between two nodes again until it has arrived, as long as
 * there is time for one more. `limit` in ms, for all of it; a first call keeps to its own deadline.
 * Nothing was done by a call that was refused for that.
 */
export async function untilArrived<Result>(
  limit: number,
  call: () => Promise<Result>,
): Promise<Result> {
  const began = systemClock.monotonic()
  let answered = call()
  for (;;) {
    const sent = systemClock.monotonic()
    try {
      return await answered
    } catch (error) {
      const now = systemClock.monotonic()
      if (!isBetweenNodes(error) || now - began + pause + (now - sent) > limit) throw error
      await wait(pause)
      // The node that a slot went to may say nothing, and there is less time left than a call may take.
      answered = inTime(limit - (systemClock.monotonic() - began), call(), timedOut)
    }
  }
}
