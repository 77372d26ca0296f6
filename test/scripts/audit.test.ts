import { expect, test } from 'vitest'
import { advisoriesOf, judge, whyNone } from '../../scripts/audit.mjs'

const report = {
  auditReportVersion: 2,
  vulnerabilities: {
    deep: {
      via: [
        {
          source: 1,
          name: 'deep',
          title: 'Reads too far',
          url: 'https://example.com/advisories/GHSA-aaaa-bbbb-cccc',
          severity: 'high',
        },
      ],
    },
    top: { via: ['deep'] },
  },
}
const advisories = advisoriesOf(report) ?? []
const exception = { id: 'GHSA-aaaa-bbbb-cccc', reason: 'only read by tools', until: '2026-05-01' }
const today = '2026-04-30'

test('an advisory is told once, by the package that has it', () => {
  expect(advisories.map(({ id, name }) => [id, name])).toEqual([['GHSA-aaaa-bbbb-cccc', 'deep']])
  expect(judge(advisories, [], today)).toEqual(['high in deep: Reads too far, GHSA-aaaa-bbbb-cccc'])
  expect(judge([], [], today)).toEqual([])
})

test('an exception bears it until its day, and no longer', () => {
  expect(judge(advisories, [exception], '2026-05-01')).toEqual([])
  expect(judge(advisories, [exception], '2026-05-02')).toEqual([
    expect.stringContaining('its exception ended on 2026-05-01'),
  ])
})

test('an exception needs a reason, a day, and something to bear', () => {
  expect(judge(advisories, [{ ...exception, reason: ' ' }], today)).toHaveLength(1)
  expect(judge(advisories, [{ ...exception, until: 'never' }], today)).toHaveLength(1)
  expect(judge([], [exception], today)).toEqual([expect.stringContaining('is needed no more')])
})

test('an answer without a report is none, and is told without addresses', () => {
  const refused = { statusCode: 405, message: '405 Method Not Allowed - POST https://host/x' }
  expect(advisoriesOf(refused)).toBeUndefined()
  expect(advisoriesOf(undefined)).toBeUndefined()
  expect(whyNone(refused)).toBe('answered 405')
  expect(whyNone({ message: 'request to https://host failed, reason: ENOTFOUND' })).toBe(
    'answered ENOTFOUND',
  )
  expect(whyNone(undefined)).toBe('gave no report')
})
