import type { LeasedTask, SettledOutcome } from '../core/broker.js'
import { FatalError, RedisDistroError } from '../core/errors.js'
import { decideOutcome, toTaskError } from '../core/outcome.js'
import type { ResolvedTask, TaskRegistry } from '../core/registry.js'
import { inProcessSpan, tracingWanted } from '../telemetry/trace.js'
import type { Run } from './run.js'

/**
 * Aside for about as long as this at least and at most, in ms, where nobody here knows the task. Once
 * a worker is up that does, each time is a toss of who takes it: short, so that the last of many is
 * taken soon, and of uneven length, so that no one takes all of them at once.
 */
const shortestAside = 1000
const longestAside = 5000

export interface AttemptParts {
  readonly queue: string
  readonly registry: TaskRegistry
  /** ms that a task unknown here is put back for. */
  readonly mismatchGrace: number
  /** ms by Redis's clock. */
  now(): number
  random(): number
}

/** A task whose type or payload this worker does not know goes back unspent, until the grace is over. */
function mismatch(task: LeasedTask, parts: AttemptParts, reason: string): SettledOutcome {
  const since = task.mismatchSince || parts.now()
  const waited = parts.now() - since
  if (waited >= parts.mismatchGrace) {
    return { name: 'bury', error: toTaskError(new RedisDistroError('mismatch', reason)) }
  }
  const left = parts.mismatchGrace - waited
  const after = Math.min(longestAside, Math.max(shortestAside, waited), left)
  return { name: 'release', after: Math.max(1, Math.round(after * (0.5 + parts.random() / 2))) }
}

/** A result that JSON cannot hold is the handler's fault, and running it again would not help. */
function refuseUnwritable(result: unknown): void {
  if (typeof result !== 'object' && typeof result !== 'bigint') return
  try {
    JSON.stringify(result)
  } catch (cause) {
    const words = `the result cannot be written as JSON: ${toTaskError(cause).message}`
    throw new FatalError(words, { cause })
  }
}

type Parsed =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly reason: string }

function reasonOf(error: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const words = error.issues
    .slice(0, 5)
    .map((i) => `${i.path.join('.') || 'payload'}: ${i.message}`)
  return `its payload does not fit the schema of this worker: ${words.join('; ')}`
}

async function parseLater(known: ResolvedTask, payload: unknown): Promise<Parsed> {
  const parsed = await known.definition.payload.safeParseAsync(payload)
  return parsed.success
    ? { ok: true, payload: parsed.data }
    : { ok: false, reason: reasonOf(parsed.error) }
}

function parse(known: ResolvedTask, payload: unknown): Parsed | Promise<Parsed> {
  try {
    const parsed = known.definition.payload.safeParse(payload)
    return parsed.success
      ? { ok: true, payload: parsed.data }
      : { ok: false, reason: reasonOf(parsed.error) }
  } catch {
    // A schema with asynchronous checks refuses to be run at once.
    return parseLater(known, payload)
  }
}

function handle(run: Run, known: ResolvedTask, queue: string, payload: unknown): unknown {
  const { body, id, failures } = run.leased
  if (!tracingWanted(body.traceparent)) return known.definition.handle(payload, run)
  const about = {
    queue,
    taskId: id,
    type: body.type,
    attempt: failures + 1,
    traceparent: body.traceparent,
  }
  return inProcessSpan(about, async () => known.definition.handle(payload, run))
}

/**
 * One attempt as a straight pipe: parse the payload, run the handler under its signal, decide what
 * follows. Whatever the handler throws is an outcome; it rejects only for a body that cannot be read.
 */
export async function attempt(
  run: Run,
  known: ResolvedTask | undefined,
  parts: AttemptParts,
): Promise<SettledOutcome> {
  const { body, broken } = run.leased
  if (broken !== undefined) {
    return { name: 'bury', error: toTaskError(new RedisDistroError('internal', broken)) }
  }
  if (!known) return mismatch(run.leased, parts, `no worker knows the type '${body.type}'`)
  const decide = {
    policy: policyOf(run, known),
    attempt: run.leased.failures + 1,
    random: parts.random,
  }
  try {
    const parsed = parse(known, body.payload)
    const checked = parsed instanceof Promise ? await parsed : parsed
    if (!checked.ok) return mismatch(run.leased, parts, checked.reason)
    const result = await handle(run, known, parts.queue, checked.payload)
    refuseUnwritable(result)
    return decideOutcome({ kind: 'returned', result }, decide)
  } catch (error) {
    return decideOutcome({ kind: 'threw', error }, decide)
  }
}

/** The policy of a run; the attempts of its enqueue win over the definition's. */
export function policyOf(run: Run, known: ResolvedTask) {
  const { attempts } = run.leased.body.overrides
  return attempts === undefined ? known.retry : { ...known.retry, attempts }
}
