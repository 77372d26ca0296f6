import type { LookPlace, ScheduleLook } from '../core/schedule-store.js'
import type { Service } from '../core/service.js'
import { Rounds } from './round.js'
import { type TickTakerParts, tickTaker } from './tick-taker.js'

/** ms between two looks at most, where there is something to come: it may be changed meanwhile. */
const lookEvery = 1000
/** The same where nothing is to come. */
const rareLook = 2000
/** ms until the next look where what is due was another's, or failed and has more behind it. */
const soon = 100
/** Looks in one round at most; the next round goes on from there. */
const mostLooks = 10

export interface SchedulerParts extends TickTakerParts {
  /** Task types that this kernel knows: ticks of others are for those who know them. */
  readonly types: readonly string[]
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/**
 * Enqueues what schedules ask for. Any number of kernels do so side by side: the first to claim a tick
 * has it, and what one has claimed and not enqueued is repeated by another, under the same id. All
 * goes by Redis's clock. What is not for this kernel stays due, and holds up nothing behind it.
 */
export function scheduler(parts: SchedulerParts): Service {
  const { store, types, log } = parts
  const take = tickTaker(parts)
  let pause = rareLook
  let place: LookPlace | undefined

  const round = async (): Promise<void> => {
    pause = lookEvery
    let [due, mine] = [0, 0]
    for (let looks = 0; looks < mostLooks; looks++) {
      const look = await store.look(types, place)
      const taken = await take(look)
      due += look.due.length - taken.left
      mine += taken.mine
      pause = pauseAfter(look, due, mine)
      place = look.rest && { ...look.rest, due: look.rest.due + taken.left }
      if (taken.failure !== undefined) {
        // The next round goes on behind what failed.
        pause = place === undefined ? lookEvery : soon
        throw taken.failure
      }
      if (place === undefined) return
    }
    // What was left to others may have something of this kernel's behind it.
    pause = Math.min(pause, soon)
  }

  return new Rounds({
    name: 'scheduler',
    every: () => pause,
    round,
    onFailure: (error) =>
      log.warn('Schedules could not be looked at; it is tried again', { reason: wordsOf(error) }),
  })
}

/** `due`: how many were due and for this kernel; `mine`: how many of these it claimed. */
function pauseAfter({ next, now }: ScheduleLook, due: number, mine: number): number {
  if (due > 0) return mine > 0 ? 0 : soon
  if (next === undefined) return rareLook
  return Math.min(lookEvery, Math.max(0, next - now))
}
