import ts from 'typescript'
import { expect, test } from 'vitest'
import { lineAt, parse, read, sourceFiles, walk } from './source.js'

const longestFile = 250
const longestFunction = 60

const linesOf = (text: string) => text.replace(/\n$/, '').split('\n').length

const isFunction = (node: ts.Node): node is ts.FunctionLikeDeclaration =>
  (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) as boolean

/** What a reader calls a function: its own name, or that of what it is given to. */
function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (node.name !== undefined) return node.name.getText()
  const { parent } = node
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) {
    return parent.name.getText()
  }
  if (ts.isCallExpression(parent)) return `argument of ${parent.expression.getText().slice(0, 40)}`
  return 'a function'
}

function longFunctions(path: string, text?: string): string[] {
  const file = parse(path, text)
  const long: string[] = []
  walk(file, (node) => {
    if (!isFunction(node)) return
    const first = lineAt(file, node.getStart())
    const lines = lineAt(file, node.getEnd()) - first + 1
    if (lines > longestFunction) long.push(`${path}:${first} ${nameOf(node)} has ${lines} lines`)
  })
  return long
}

test('no source file is longer than 250 lines', () => {
  const files = sourceFiles()
  expect(files.length).toBeGreaterThan(0)
  const long = files
    .map((path) => ({ path, lines: linesOf(read(path)) }))
    .filter(({ lines }) => lines > longestFile)
    .map(({ path, lines }) => `${path} has ${lines} lines`)
  expect(long).toEqual([])
})

test('no function is longer than 60 lines', () => {
  expect(sourceFiles().flatMap((path) => longFunctions(path))).toEqual([])
})

test('a function past the limit is found and named', () => {
  const body = 'count += 1\n'.repeat(longestFunction)
  const text = `class Pump { turn() {\n${body}} }\nconst short = () => 1\nconst long = () => {\n${body}}\n`
  expect(longFunctions('pump.ts', text)).toEqual([
    'pump.ts:1 turn has 62 lines',
    'pump.ts:64 long has 62 lines',
  ])
})
