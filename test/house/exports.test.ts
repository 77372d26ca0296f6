import { expect, test } from 'vitest'
import { exists, read } from './source.js'

interface Manifest {
  bin: Record<string, string>
  exports: Record<string, string | { types: string; default: string }>
  files: string[]
}

const manifest: Manifest = JSON.parse(read('package.json'))
const doors = Object.entries(manifest.exports).flatMap(([name, door]) =>
  typeof door === 'string' ? [] : [{ name, ...door }],
)
const bins = Object.values(manifest.bin)

/** The source file that a built file comes from. */
const sourceOf = (path: string) => path.replace(/^\.\/dist\//, '').replace(/\.(d\.ts|js)$/, '.ts')

test('the doors are the ones that the docs promise', () => {
  expect(Object.keys(manifest.exports)).toEqual([
    '.',
    './client',
    './testing',
    './plugins/email',
    './package.json',
  ])
})

test('every door and command leads to a source file', () => {
  const targets = [...doors.flatMap((door) => [door.types, door.default]), ...bins]
  expect(targets.filter((path) => !exists(sourceOf(path)))).toEqual([])
})

test('every door and command is built, with types, by `npm run build`', () => {
  const targets = [...doors.flatMap((door) => [door.types, door.default]), ...bins]
  expect(targets.filter((path) => !exists(path))).toEqual([])
})

test('types come first, or a compiler would not see them', () => {
  const wrong = doors.filter(
    ({ name, types }) =>
      !types.endsWith('.d.ts') || Object.keys(manifest.exports[name] ?? {})[0] !== 'types',
  )
  expect(wrong).toEqual([])
})

test('a command starts as a program of its own', () => {
  for (const bin of bins) expect(read(sourceOf(bin))).toMatch(/^#!\/usr\/bin\/env node\n/)
})
