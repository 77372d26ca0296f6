import type { ServerFacts } from '../../broker/diagnosis/facts.js'
import { formatDuration } from '../../core/duration.js'
import { type Finding, finding, several } from './checks.js'

/** A rule of `save`: a snapshot after so long if so many keys have changed. */
interface SnapshotRule {
  readonly seconds: number
  readonly changes: number
}

function rulesOf(save: string): SnapshotRule[] {
  const numbers = save.split(/\s+/).filter(Boolean).map(Number)
  return numbers.flatMap((seconds, i) => (i % 2 ? [] : [{ seconds, changes: numbers[i + 1] ?? 0 }]))
}

const wordsOfRule = ({ seconds, changes }: SnapshotRule): string =>
  `after ${formatDuration(seconds * 1000)} with ${several(changes, 'change')}`

const turnOn = 'set appendonly yes in its config (redis-cli config set appendonly yes)'

/** What lies between the last snapshot and now. */
function atStake({ info = {}, time }: ServerFacts): string {
  const changes = info['rdb_changes_since_last_save'] ?? 'an unknown number of'
  const saved = Number(info['rdb_last_save_time']) * 1000
  const since =
    time === undefined || !Number.isFinite(saved)
      ? 'the last snapshot'
      : `the last snapshot ${formatDuration(Math.max(0, Math.round((time - saved) / 1000)) * 1000)} ago`
  return `a crash now would lose ${changes} changes since ${since}`
}

function bySnapshots(facts: ServerFacts): Finding {
  const { says, settings } = facts
  const save = settings['save']
  if (save === '') {
    const found = `${says} writes nothing to disk: a restart loses every task`
    return finding('persistence', 'danger', { found, todo: turnOn })
  }
  const rules = save === undefined ? [] : rulesOf(save)
  const longest = Math.max(0, ...rules.map(({ seconds }) => seconds))
  const when =
    save === undefined
      ? 'whether and when may not be read without +config|get'
      : rules.map(wordsOfRule).join(', ')
  const most =
    longest > 0 ? `; a crash may lose up to ${formatDuration(longest * 1000)} of tasks` : ''
  const found = `${says} keeps snapshots only (${when})${most}; ${atStake(facts)}`
  return finding('persistence', 'warning', { found, todo: turnOn })
}

function byFile({ says, settings }: ServerFacts): Finding {
  const fsync = settings['appendfsync']
  if (fsync === 'no') {
    const found = `${says} keeps an append-only file and leaves it to the system when it is synced: a crash of the machine may lose some 30 s`
    return finding('persistence', 'warning', { found, todo: 'set appendfsync everysec, or always' })
  }
  const words = {
    always: 'synced before each answer: nothing that was acknowledged is lost',
    everysec: 'synced each second: a crash of the machine may lose up to two seconds of tasks',
  }
  const how =
    fsync === 'always' || fsync === 'everysec'
      ? words[fsync]
      : 'how often it is synced may not be read (+config|get)'
  return finding('persistence', 'ok', { found: `${says} keeps an append-only file, ${how}` })
}

const failed = (facts: ServerFacts, name: string): boolean => facts.info?.[name] === 'err'

/** Whether, and how, the server keeps its tasks on disk. */
export function judgePersistence(facts: ServerFacts): Finding[] {
  const { says, info } = facts
  const kept = info?.['aof_enabled']
  if (kept === undefined) return []
  const look = 'look at its log and at the room on its disk'
  if (kept === '1' && failed(facts, 'aof_last_write_status')) {
    const found = `${says} could not write its append-only file`
    return [finding('persistence', 'danger', { found, todo: look })]
  }
  const how = kept === '1' ? byFile(facts) : bySnapshots(facts)
  const broken = [
    { field: 'aof_last_bgrewrite_status', what: 'the last rewrite of its append-only file' },
    { field: 'rdb_last_bgsave_status', what: 'its last snapshot' },
  ].filter(({ field }) => failed(facts, field))
  // Without the other file the snapshot is all that there is.
  const verdict = kept === '1' ? 'warning' : 'danger'
  return [
    how,
    ...broken.map(({ what }) =>
      finding('persistence', verdict, { found: `${says}: ${what} failed`, todo: look }),
    ),
  ]
}
