import { z } from 'zod'
import type {
  EnqueuedTask,
  LimitsStatus,
  QueueStatus,
  Stats,
  WorkerStatus,
} from '../../client/contract.js'
import type { Counts } from '../../core/counts.js'
import { errorCodes, type Issue } from '../../core/errors.js'
import { states } from '../../core/state.js'
import { type AttemptRecord, priorities, type Task, type TaskError } from '../../core/task.js'
import { type Problem, statusOf } from '../problem.js'
import { job, purgedOrPreview, replay } from './bulk-answers.js'
import { count, recordOf, time } from './records.js'
import { schedule, schedulePreview, scheduleRun } from './schedule-answers.js'

const state = z.enum(states)

const taskError = recordOf<TaskError>({
  name: z.string(),
  message: z.string(),
  code: z.string().optional(),
  stack: z.string().optional(),
})

const attempt = recordOf<AttemptRecord>({
  attempt: count,
  startedAt: time,
  endedAt: time,
  outcome: z.enum(['complete', 'retry', 'bury', 'release', 'cancel']),
  error: taskError.optional(),
})

const task = recordOf<Task>({
  id: z.string(),
  type: z.string(),
  queue: z.string(),
  state,
  payload: z.unknown().describe('As it was enqueued.'),
  priority: z.enum(priorities),
  tags: z.array(z.string()),
  enqueuedAt: time,
  runAt: time.optional().describe('When it is or was due.'),
  startedAt: time.optional(),
  endedAt: time.optional(),
  attempt: count.describe('Attempts begun, the running one included.'),
  attempts: z.array(attempt).describe('Those that ended.'),
  result: z.unknown().optional().describe('What its handler returned.'),
  progress: z.unknown().optional().describe('What its handler reported last.'),
  deadLetter: z.string().optional().describe('The key it lies under, where it is dead.'),
  traceId: z.string().optional(),
  why: z.string().optional().describe('In words, why it is not running.'),
  raw: z.base64().optional().describe('First bytes of its record, where that cannot be read.'),
})

const depth = z.strictObject(
  Object.fromEntries(states.map((name) => [name, count])) as Record<
    (typeof states)[number],
    typeof count
  >,
)

const rates = z
  .strictObject({ enqueued: z.number(), completed: z.number(), failed: z.number() })
  .describe('Tasks a second over the last whole minute.')

const limit = {
  rate: z.string().optional().describe('Starts a time over all processes, such as 14/s.'),
  maxActive: count.optional().describe('Tasks that are active at once over all processes.'),
}

const limits = recordOf<LimitsStatus>({
  ...limit,
  differs: z.literal(true).optional().describe('They were set at run time.'),
  config: z.strictObject(limit).optional().describe('What the config says, where they differ.'),
})

const queue = recordOf<QueueStatus>({
  name: z.string(),
  paused: z.boolean(),
  partitions: count,
  depth: depth.describe('Tasks by state.'),
  oldestWaitingAge: z.number().nullable().describe('In ms; null where none waits.'),
  throughput: rates,
  workers: count.describe('Live ones.'),
  limits: limits.describe('Those that hold; empty where there are none.'),
})

const worker = recordOf<WorkerStatus>({
  id: z.string(),
  queue: z.string(),
  host: z.string(),
  pid: z.int(),
  concurrency: count,
  startedAt: time,
  leaseUntil: time,
  running: z.array(z.string()).describe('Ids of the tasks it holds, 1000 at most.'),
})

const counts = recordOf<Counts>({
  enqueued: count,
  completed: count,
  retried: count,
  dead: count,
  cancelled: count,
  lost: count,
})

const latency = z.number().nullable()

const stats = recordOf<Stats>({
  at: time,
  depth: depth.describe('Tasks by state, over all queues.'),
  workers: count,
  total: counts.describe('Since the store began.'),
  lastMinute: counts,
  lastHour: counts,
  rates,
  latencies: z
    .strictObject({ wait: latency, run: latency })
    .describe('Means in ms over the last hour; null where no task completed.'),
  queues: z.array(queue),
})

type Enqueued = Omit<EnqueuedTask, 'id'> & { message: string; taskId: string }

const enqueued = recordOf<Enqueued>({
  message: z.string(),
  taskId: z.string(),
  type: z.string(),
  queue: z.string(),
  state,
  duplicate: z.boolean().describe('Whether this is a repeat, and the task its first.'),
  runAt: time.optional(),
  tz: z.string().optional().describe('The zone that a text time was read in.'),
  traceId: z.string().optional(),
})

const enqueuedBatch = z.strictObject({ message: z.string(), taskIds: z.array(z.string()) })

/** Codes that an answer may have; all others are told as `internal`. */
const codes = (Object.keys(errorCodes) as Problem['code'][]).filter(
  (code) => code === 'internal' || statusOf(code) !== 500,
)

const issue = recordOf<Issue>({
  path: z.string().describe('In dotted form.'),
  message: z.string(),
})

const checks = z.record(z.string(), z.string())

const problem = recordOf<Problem>({
  status: z.int(),
  title: z.string(),
  detail: z.string(),
  code: z.enum(codes),
  issues: z.array(issue).optional(),
  state: state.optional().describe('The state that the task is still in.'),
  checks: checks.optional().describe('What /ready looked at.'),
}).describe('A problem document of RFC 9457.')

const listOf = (item: z.ZodType) =>
  z.strictObject({
    items: z.array(item),
    cursor: z.string().nullable().describe('For the next page; null on the last.'),
  })

/** Every schema of an answer that has a name, by that name; what has none is written out. */
export const answers = {
  Task: task,
  TaskError: taskError,
  Attempt: attempt,
  MovedTask: z
    .union([task, z.strictObject({ id: z.string(), state })])
    .describe('The task; its id and state alone where it has gone meanwhile.'),
  TaskList: listOf(task),
  Enqueued: enqueued,
  EnqueuedBatch: enqueuedBatch,
  Problem: problem,
  Queue: queue,
  QueueList: listOf(queue),
  Worker: worker,
  WorkerList: listOf(worker),
  Stats: stats,
  DeadLetterList: listOf(z.strictObject({ key: z.string(), count })),
  Replay: replay,
  PurgedOrPreview: purgedOrPreview,
  Job: job,
  JobList: listOf(job),
  Schedule: schedule,
  ScheduleList: listOf(schedule),
  SchedulePreview: schedulePreview,
  ScheduleRun: scheduleRun,
  Metrics: z.looseObject({ up: z.boolean(), stats: stats.nullable() }),
  Health: z.strictObject({ status: z.literal('ok') }),
  Readiness: z.strictObject({ status: z.literal('ok'), checks }),
} as const

export type AnswerName = keyof typeof answers
