/** The keys of all schedules, `<prefix>:{schedules}:<name>`: one hash tag, so that one script has them. */
const names = [
  /** hash id → revision, task type and the record's JSON, a space between them */
  'rules',
  /** zset id → 0: the ids of all rules in their order, for lists */
  'names',
  /** zset id → ms of its next tick; none where it is paused, removed or has ended */
  'due',
  /** hash `<id> paused|runs|last|queue` → 1, how many, `tick task`, where that task went */
  'state',
  /** zset task id → ms when it was claimed, or taken up again */
  'pending',
  /** hash task id → its tick, task type and the JSON of what is to be enqueued, a space between them */
  'snapshots',
  /** hash id → a JSON line for each of its last runs, the newest first */
  'history',
] as const

export type ScheduleKey = (typeof names)[number]

export const scheduleKeys = (prefix: string): Readonly<Record<ScheduleKey, string>> =>
  Object.fromEntries(names.map((name) => [name, `${prefix}:{schedules}:${name}`])) as Record<
    ScheduleKey,
    string
  >
