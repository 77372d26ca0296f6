import { type ErrorCode, type Issue, RedisDistroError } from '../core/errors.js'

/** What is wrong with one of the tasks of a call, before anything was written. */
export interface Problem {
  readonly code: ErrorCode
  /** In place of the issues' own words. */
  readonly message?: string
  readonly issues: readonly Issue[]
}

/** The beginning of a dotted path; the index of a task in its batch. */
const under = (index: number, path: string): string => (path ? `${index}.${path}` : `${index}`)

/** Problems by their task's index, with paths that begin with it. */
export function atIndex(index: number, problem: Problem): Problem {
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

/** One problem of one option. */
export const badOption = (path: string, message: string): Problem => ({
  code: 'bad_option',
  issues: [{ path, message }],
})
