import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { measures } from '../../bench/measures/index.js'
import type { Outcome, Summary } from '../../bench/results.js'
import { rivalNames } from '../../bench/rivals/index.js'
import { testRedisServer } from '../support/redis.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const bench = (...args: string[]) =>
  run(process.execPath, ['bench/run.js', ...args], {
    cwd: root,
    env: { ...process.env, REDISDISTRO_REDIS_SERVER: testRedisServer() },
    maxBuffer: 2 ** 24,
  })

interface Report {
  readonly settings: readonly { name: string; settings: readonly string[] }[]
  readonly outcomes: readonly Outcome[]
  readonly summaries: readonly Summary[]
}

let report: Report

beforeAll(async () => {
  report = JSON.parse((await bench('--quick', '--json')).stdout)
}, 300_000)

test('every measure comes to its end for everyone who takes part', () => {
  const lacking = measures.flatMap(({ name, brief, contenders }) =>
    (brief ?? contenders)
      .filter(
        (contender) =>
          !report.outcomes.some((each) => each.measure === name && each.contender === contender),
      )
      .map((contender) => `${name}, ${contender}`),
  )
  expect(lacking).toEqual([])
  expect(report.outcomes.filter(({ failure }) => failure !== undefined)).toEqual([])
})

test('every figure of every measure is a number above zero', () => {
  const bad = report.outcomes.flatMap(({ measure, contender, figures }) => {
    const wanted = measures.find(({ name }) => name === measure)?.figures ?? []
    return wanted
      .filter(({ key }) => !((figures?.[key] ?? 0) > 0 && Number.isFinite(figures?.[key])))
      .map(({ key }) => `${measure}, ${contender}: ${key} is ${figures?.[key]}`)
  })
  expect(bad).toEqual([])
})

test('every figure of the product has a ratio to the baseline of its round', () => {
  const own = report.summaries.filter(({ contender }) => contender === 'redisdistro')
  expect(own.length).toBeGreaterThan(0)
  expect(own.filter(({ ratio }) => ratio === undefined)).toEqual([])
})

test('the settings of each rival are told', () => {
  expect(report.settings.map(({ name }) => name)).toEqual(rivalNames)
  for (const { settings } of report.settings) expect(settings.length).toBeGreaterThan(0)
})

test('an unknown measure is refused, with a word on where to look', async () => {
  await expect(bench('--only', 'speed')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no measure is called 'speed'; see --help"),
  })
})

test('the help names every measure', async () => {
  const { stdout } = await bench('--help')
  for (const { name } of measures) expect(stdout).toContain(name)
})
