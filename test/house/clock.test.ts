import ts from 'typescript'
import { expect, test } from 'vitest'
import { lineAt, parse, sourceFiles, walk } from './source.js'

/** Who reads the machine's time, besides plain JavaScript that runs beside the house. */
const clock = 'src/core/clock.ts'

/** Files that may read the time themselves, each with its reason. */
const allowed: Record<string, string> = {}

const readings = new Set([
  'Date.now',
  'performance.now',
  'performance.timeOrigin',
  'process.hrtime',
  'process.hrtime.bigint',
  'process.uptime',
])

/** A reading of the time: `Date.now` and its like, `new Date()`, `Date()`, `Temporal.Now`. */
function reading(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const text = node.getText().replace(/^globalThis\./, '')
    if (readings.has(text)) return text
    return text === 'Temporal.Now' ? text : undefined
  }
  if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
    const isDate = node.expression.getText() === 'Date'
    if (isDate && (ts.isCallExpression(node) || !node.arguments?.length)) return node.getText()
  }
  return undefined
}

function readingsOf(path: string, text?: string): string[] {
  const file = parse(path, text)
  const found: string[] = []
  walk(file, (node) => {
    const what = reading(node)
    if (what !== undefined) found.push(`${path}:${lineAt(file, node.getStart())} ${what}`)
  })
  return found
}

test('only the clock reads the time', () => {
  const others = sourceFiles().filter(
    (path) => path !== clock && !path.endsWith('.js') && !(path in allowed),
  )
  expect(others.length).toBeGreaterThan(0)
  expect(others.flatMap((path) => readingsOf(path))).toEqual([])
})

test('every file that is allowed to read the time does', () => {
  const idle = [clock, ...Object.keys(allowed)].filter((path) => readingsOf(path).length === 0)
  expect(idle).toEqual([])
})

test('each way of reading the time is seen, and a given instant is none', () => {
  const text = [
    'const a = Date.now()',
    'const b = new Date()',
    'const c = performance.now()',
    'const d = process.hrtime.bigint()',
    'const e = Date()',
    'const now = Date.now',
    'const f = Temporal.Now.instant()',
    'const fine = [new Date(a), Date.parse("2026-01-01"), clock.now()]',
  ].join('\n')
  const lines = readingsOf('sample.ts', text).map((found) => found.split(' ')[0])
  expect([...new Set(lines)]).toEqual([1, 2, 3, 4, 5, 6, 7].map((line) => `sample.ts:${line}`))
})
