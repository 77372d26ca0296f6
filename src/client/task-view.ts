import type { StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import type { AttemptRecord, Task } from '../core/task.js'
import { traceIdOf } from '../telemetry/trace.js'
import { type Circumstances, whyNot } from './why.js'

/** No earlier than its start, which an enqueuer's estimate of Redis's clock may have put some ms late. */
function endOf({ endedAt, startedAt, body }: StoredTask): number | undefined {
  if (endedAt === undefined) return undefined
  const start = startedAt ?? body.enqueuedAt
  return endedAt < start && start - endedAt < 1000 ? start : endedAt
}

/** The attempt that completed it is kept only as numbers beside the task: the happy path is lean. */
function attemptsOf(task: StoredTask): readonly AttemptRecord[] {
  const { attempts, completedAttempt, startedAt } = task
  const endedAt = endOf(task)
  if (task.state !== 'completed' || startedAt === undefined || endedAt === undefined) {
    return attempts
  }
  if (attempts.some(({ outcome }) => outcome === 'complete')) return attempts
  const last: AttemptRecord = {
    attempt: completedAttempt ?? task.failures + 1,
    startedAt: iso(startedAt),
    endedAt: iso(endedAt),
    outcome: 'complete',
  }
  return [...attempts, last]
}

function begun(task: StoredTask): number {
  // A requeued task begins anew, whatever its history says.
  return task.completedAttempt ?? task.failures + (task.state === 'active' ? 1 : 0)
}

/** When it is due, or was: a task that waits for nothing keeps its first time. */
const dueOf = (task: StoredTask): number | undefined => task.dueAt ?? task.body.runAt

/** A task as people and programs see it. */
export function taskView(task: StoredTask, around: Circumstances): Task {
  const { body } = task
  const runAt = dueOf(task)
  const traceId = traceIdOf(body.traceparent)
  const why = whyNot(task, around)
  const endedAt = endOf(task)
  return {
    id: task.id,
    type: body.type,
    queue: around.queue,
    state: task.state,
    payload: body.payload,
    priority: task.priority,
    tags: body.tags,
    enqueuedAt: iso(body.enqueuedAt),
    ...(runAt === undefined ? {} : { runAt: iso(runAt) }),
    ...(task.startedAt === undefined ? {} : { startedAt: iso(task.startedAt) }),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    attempt: begun(task),
    attempts: attemptsOf(task),
    ...(task.result === undefined ? {} : { result: task.result }),
    ...(task.progress === undefined ? {} : { progress: task.progress }),
    ...(task.state === 'dead' ? { deadLetter: task.deadLetter } : {}),
    ...(traceId === undefined ? {} : { traceId }),
    ...(why === undefined ? {} : { why }),
    ...(task.raw === undefined ? {} : { raw: task.raw }),
  }
}
