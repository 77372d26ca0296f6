import type { z } from 'zod'
import { enqueueOptionsSchema, type ParsedEnqueueOptions } from '../core/enqueue-options.js'
import type { Issue } from '../core/errors.js'
import { badOption, type Problem } from './problem.js'

/** Options as they were read, or what is wrong with them. */
export type OptionsRead =
  | { readonly ok: true; readonly options: ParsedEnqueueOptions }
  | { readonly ok: false; readonly problem: Problem }

const none: OptionsRead = { ok: true, options: {} }

function issueOf(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ path: issue.path.map(String).join('.'), message: issue.message }]
  }
  const allowed = Object.keys(enqueueOptionsSchema.shape).join(', ')
  return issue.keys.map((key) => ({ path: key, message: `is no option; there are ${allowed}` }))
}

const refused = (path: string, message: string): OptionsRead => ({
  ok: false,
  problem: badOption(path, message),
})

/** Reads the options of one task; `shared` are those of a whole batch, which name no single task. */
export function readOptions(
  given: Readonly<Record<string, unknown>> | undefined,
  shared: boolean,
): OptionsRead {
  if (given === undefined) return none
  const parsed = enqueueOptionsSchema.safeParse(given)
  if (!parsed.success) {
    const issues = parsed.error.issues.flatMap(issueOf)
    return { ok: false, problem: { code: 'bad_option', issues } }
  }
  const options = parsed.data
  if (options.taskId !== undefined && options.idempotencyKey !== undefined) {
    return refused('idempotencyKey', 'taskId and idempotencyKey both make the id; give one of them')
  }
  if (options.uniqueFor !== undefined && options.uniqueKey === undefined) {
    return refused('uniqueFor', 'holds nothing without uniqueKey')
  }
  if (shared && options.taskId !== undefined) {
    return refused('taskId', 'is one id, and a batch has many; give idempotencyKey')
  }
  if (shared && options.uniqueKey !== undefined) {
    return refused('uniqueKey', 'would make every task of the batch a duplicate of its first')
  }
  return { ok: true, options }
}
