import { type ErrorCode, type Issue, RedisDistroError } from '../core/errors.js'

/** What is wrong with one of the tasks of a call, before anything was written. */
export interface Problem {
  readonly code: ErrorCode
  /** In place of the issues' own words. */
  readonly message?: string
  readonly issues: readonly Issue[]
  /** True where it is one of the whole call, and told once. */
  readonly ofAll?: boolean
}

/** How the tasks of one call are told apart in what it is told. */
export type Indexing = 'single' | 'shared options' | 'own options'

export const isProblem = (made: object): made is Problem => 'issues' in made

/** The beginning of a dotted path; the index of a task in its batch. */
const under = (index: number, path: string): string => (path ? `${index}.${path}` : `${index}`)

/** Problems by their task's index, with paths that begin with it. */
function atIndex(index: number, problem: Problem): Problem {
  const issues = problem.issues.map(({ path, message }) => ({ path: under(index, path), message }))
  return { code: problem.code, issues }
}

/** Several problems of one task as one, with the first one's code. */
export function joined(problems: readonly [Problem, ...Problem[]]): Problem {
  const [first] = problems
  if (problems.length === 1) return first
  return { code: first.code, issues: problems.flatMap(({ issues }) => issues) }
}

const words = (issues: readonly Issue[]): string => {
  const shown = issues
    .slice(0, 5)
    .map(({ path, message }) => (path ? `${path}: ${message}` : message))
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`)
  return shown.join('; ')
}

/** One error for all problems of a call: the first one's code, everyone's issues. */
export function errorOf(problems: readonly [Problem, ...Problem[]]): RedisDistroError {
  const [first] = problems
  const issues = problems.flatMap((problem) => problem.issues)
  const message = problems.length === 1 ? first.message : undefined
  return new RedisDistroError(first.code, message ?? words(issues), { issues })
}

/** A type is part of what a mixed batch holds, and not of what was asked for. */
const inBatch = (problem: Problem, indexing: Indexing): Problem =>
  indexing === 'own options' && problem.code === 'unknown_type'
    ? { ...problem, code: 'bad_payload' }
    : problem

/** Throws one error for all problems that are among what was made of a call's tasks, if any are. */
export function throwProblems(made: readonly object[], indexing: Indexing): void {
  const problems: Problem[] = []
  let toldOfAll = false
  for (const [index, each] of made.entries()) {
    if (!isProblem(each)) continue
    // An option of all is told once, not for each task.
    const ofAll = each.ofAll ?? (indexing === 'shared options' && each.code !== 'bad_payload')
    if (ofAll && toldOfAll) continue
    toldOfAll ||= ofAll
    problems.push(indexing === 'single' || ofAll ? each : atIndex(index, inBatch(each, indexing)))
  }
  const [first, ...others] = problems
  if (first !== undefined) throw errorOf([first, ...others])
}

/** One problem of one option. */
export const badOption = (path: string, message: string): Problem => ({
  code: 'bad_option',
  issues: [{ path, message }],
})
