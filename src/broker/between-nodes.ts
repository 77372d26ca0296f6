import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../core/clock.js'

/** In ms; most slots are on their way for less. */
const pause = 50
const between = /\b(TRYAGAIN|(Last error: ReplyError: (MOVED|ASK)))\b/

/**
 * True where a slot's keys lie on two nodes of a cluster just then, so that no script may run on them:
 * either node says so, or that it is the other's turn.
 */
const isBetweenNodes = (error: unknown): boolean =>
  error instanceof Error && between.test(error.message)

/**
 * Makes a call on a slot that may be moving between two nodes again until it has arrived, as long as
 * there is time for one more. `within` in ms. Nothing was done by a call that was refused for that.
 */
export async function untilArrived<Result>(
  within: number,
  call: () => Promise<Result>,
): Promise<Result> {
  const began = systemClock.monotonic()
  for (;;) {
    const sent = systemClock.monotonic()
    try {
      return await call()
    } catch (error) {
      const now = systemClock.monotonic()
      if (!isBetweenNodes(error) || now - began + pause + (now - sent) > within) throw error
      await wait(pause)
    }
  }
}
