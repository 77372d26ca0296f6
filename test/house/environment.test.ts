import { expect, test } from 'vitest'
import { exists, read, sourceFiles } from './source.js'

/** Variables that belong to the machine or to other tools, and need no line in .env.example. */
const foreign = /^(OTEL_.+|PATH|HOME|TMPDIR|CI|NO_COLOR|TERM|FORCE_COLOR|XDG_.+|npm_.+|VITEST.*)$/

/** Variables that processes of the product set for each other, never a person. */
const internal = /^REDISDISTRO_/

const example = read('.env.example')
const listed = [...example.matchAll(/^(?:# ?)?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name ?? '')
const own = listed.filter((name) => !name.startsWith('OTEL_'))

const source = [...sourceFiles(), 'redisdistro.config.ts']
  .filter(exists)
  .map((path) => read(path).replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, ''))
  .join('\n')

test('the three variables of a first set-up come first', () => {
  expect(listed.slice(0, 3)).toEqual(['REDIS_URL', 'QUEUE_KEY', 'DEAD_KEY'])
  expect(new Set(listed).size).toBe(listed.length)
})

test('.env.example lists every variable that the source reads', () => {
  const reads = [...source.matchAll(/\benv(?:\??\.|\[['"])([A-Z][A-Z0-9_]+)\b/g)].map(
    ([, name]) => name ?? '',
  )
  const missing = reads.filter(
    (name) => !listed.includes(name) && !foreign.test(name) && !internal.test(name),
  )
  expect([...new Set(missing)]).toEqual([])
})

test('the source reads every variable that .env.example lists', () => {
  expect(own.filter((name) => !new RegExp(`\\b${name}\\b`).test(source))).toEqual([])
})

test('every variable has its sentence above it and no value of its own', () => {
  const lines = example.split('\n')
  const bare = lines.filter(
    (line, index) =>
      /^[A-Z]/.test(line) && (!lines[index - 1]?.startsWith('# ') || !line.endsWith('=')),
  )
  expect(bare).toEqual([])
})
