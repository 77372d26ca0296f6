import type { Command } from 'commander'
import { iso, systemClock } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import { failure } from './failure.js'
import { type Globals, optionsOf } from './globals.js'
import { pairs, printResult, remark } from './output.js'
import { readProject } from './project.js'

type WhenOptions = Globals & { readonly tz?: string }

/** The zone of text times: the option's, else the config's where there is one, else UTC. */
async function zoneOf(options: WhenOptions): Promise<string> {
  if (options.tz !== undefined) return options.tz
  try {
    return (await readProject(options)).time.tz
  } catch (error) {
    // A preview needs no project; only one that was asked for must be there.
    if (options.config !== undefined) throw error
    const [words] = (error instanceof Error ? error.message : String(error)).split(';')
    remark(`The zone is UTC, for ${words?.trim()}`)
    return 'UTC'
  }
}

/** The time on a wall in the zone: `Thu, 24 Dec 2026, 18:00:00 GMT+1`. */
const wallTime = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(at)

const day = 86_400_000

/** A length of time as far as people plan by it: `14h 3m`, `3d 14h 3m`, `5m 20s`. */
function roughly(ms: number): string {
  const step = ms < 60_000 ? 1 : ms < 3_600_000 ? 1_000 : 60_000
  const rounded = Math.round(ms / step) * step
  const days = Math.floor(rounded / day)
  const rest = rounded % day
  if (days === 0) return formatDuration(rest)
  return rest === 0 ? `${days}d` : `${days}d ${formatDuration(rest)}`
}

function distanceOf(at: number, now: number): string {
  if (at === now) return 'now'
  return at < now ? `${roughly(now - at)} ago, so it runs now` : `in ${roughly(at - now)}`
}

async function preview(text: string, options: WhenOptions): Promise<void> {
  const { resolveRunAt } = await import('../core/run-at.js')
  const { clockChange } = await import('../core/run-at/clock-change.js')
  const tz = await zoneOf(options)
  const now = systemClock.now()
  const read = resolveRunAt({ runAt: text, tz, now })
  if (read === undefined) throw failure('bad_time', 'no time was given')
  if (!read.ok) throw failure(read.path === 'tz' ? 'bad_option' : 'bad_time', read.reason)
  const { at, kind, wall } = read
  const note = wall === undefined ? undefined : clockChange(wall, tz)
  const local = wallTime(at, tz)
  const distance = distanceOf(at, now)
  await printResult(
    { runAt: iso(at), tz, local, in: at - now, distance, kind, ...(note && { note }) },
    {
      json: options.json === true,
      words: () =>
        pairs([
          ['time', iso(at)],
          [tz, local],
          ['distance', distance],
          ['note', note],
        ]),
    },
  )
}

/** `when TEXT [--tz ZONE]` */
export function addWhen(program: Command): void {
  program
    .command('when')
    .description("preview a time as --run-at and 'runAt' take it")
    .argument('<text>', "ISO time, epoch ms, a duration, or text such as 'tomorrow 8am'")
    .option('--tz <zone>', "IANA zone that it is read in (the config's)")
    .action((text: string, _, command: Command) => preview(text, optionsOf(command)))
}
