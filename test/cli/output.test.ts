import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Column, pairs, table, wrap } from '../../src/cli/output.js'

interface Row {
  readonly id: string
  readonly words: string
}

const columns: readonly Column<Row>[] = [
  { head: 'ID', cell: ({ id }) => id, style: () => 'red' },
  { head: 'SPARE', cell: () => 'left out first', spare: 1 },
  { head: 'WORDS', cell: ({ words }) => words, flexible: true },
]
const rows = [{ id: 'a-rather-long-id', words: 'said and said again '.repeat(6).trim() }]

const { isTTY, columns: width } = process.stdout

function pretend(terminal: { readonly isTTY: boolean; readonly columns: number }): void {
  Object.assign(process.stdout, terminal)
}

beforeEach(() => {
  vi.stubEnv('NO_COLOR', '')
  vi.stubEnv('TERM', 'xterm')
})
afterEach(() => {
  vi.unstubAllEnvs()
  Object.assign(process.stdout, { isTTY, columns: width })
})

const longest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

test('where stdout is no terminal nothing is cut and nothing coloured', async () => {
  pretend({ isTTY: false, columns: 40 })
  const drawn = await table(columns, rows)
  expect(drawn).toContain(rows[0]?.words)
  expect(drawn).not.toContain('\u001b')
})

test('a table is cut to the width of the terminal', async () => {
  vi.stubEnv('NO_COLOR', '1')
  pretend({ isTTY: true, columns: 60 })
  const wide = await table(columns, rows)
  expect(longest(wide)).toBeLessThanOrEqual(60)
  expect(wide).toMatch(/SPARE[\s\S]*said and said.*…/)
})

test('a spare column is left out where cutting does not do', async () => {
  vi.stubEnv('NO_COLOR', '1')
  pretend({ isTTY: true, columns: 30 })
  const narrow = await table(columns, rows)
  expect(longest(narrow)).toBeLessThanOrEqual(30)
  expect(narrow).not.toContain('SPARE')
  expect(narrow).toContain('a-rather-long-id')
})

test('a column that is never cut is cut where the terminal leaves nothing else', async () => {
  vi.stubEnv('NO_COLOR', '1')
  pretend({ isTTY: true, columns: 40 })
  const long = [{ id: 'an-id-of-somebody-who-likes-long-ones-0001', words: 'short' }]
  const drawn = await table(columns, long)
  expect(longest(drawn)).toBeLessThanOrEqual(40)
  expect(drawn).toMatch(/^an-id-of-\S*… +short$/m)
})

test('signs that take two columns are given them, where nothing is cut too', async () => {
  pretend({ isTTY: false, columns: 80 })
  const words = '宛先がありません🙂'
  expect(await table(columns, [{ id: 'x', words }])).toContain(words)
})

test('a sentence is wrapped behind its name, on a terminal alone, and JSON never', () => {
  vi.stubEnv('NO_COLOR', '1')
  const entries = [
    ['why', 'one  two three four five six'],
    ['payload', '{\n  "a": "a rather long text"\n}'],
  ] as const
  pretend({ isTTY: true, columns: 24 })
  expect(pairs(entries)).toBe(
    'why      one  two three\n         four five six\npayload  {\n  "a": "a rather long text"\n}',
  )
  pretend({ isTTY: false, columns: 24 })
  expect(pairs(entries)).toContain('why      one  two three four five six\n')
  expect(wrap('a b', 'x: ')).toBe('x: a b')
})

test('colours are for terminals without NO_COLOR', async () => {
  pretend({ isTTY: true, columns: 80 })
  expect(await table(columns, rows)).toContain('\u001b[31m')
  vi.stubEnv('NO_COLOR', '1')
  expect(await table(columns, rows)).not.toContain('\u001b')
})

test('what could steer a terminal is taken out of the words of others', async () => {
  pretend({ isTTY: false, columns: 80 })
  expect(await table(columns, [{ id: 'x', words: 'one\ntwo\u001b[2J\u0007' }])).toContain(
    'one two\uFFFD[2J\uFFFD',
  )
})
