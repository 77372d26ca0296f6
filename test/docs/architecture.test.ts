import { expect, test } from 'vitest'
import { keyNames } from '../../src/broker/keys.js'
import { exists, filesBelow, read } from '../house/source.js'

const page = read('docs/architecture.md')

test('its table of keys is the list of the source', () => {
  const [, data = ''] = page.split('\n## Data in Redis\n')
  const [table = ''] = data.split('\n## ')
  const listed = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(listed).toEqual([...keyNames])
})

test('every folder and file that the docs name is there', () => {
  const pages = ['README.md', ...filesBelow('docs', /\.md$/)]
  const named = pages.flatMap((path) =>
    [...read(path).matchAll(/`((?:src|plugins\/email|scripts|test)(?:\/[\w.-]+)*)`/g)].map(
      ([, target = '']) => target,
    ),
  )
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter((target) => !exists(target))).toEqual([])
})

test('every decision is in the index, under its own number', () => {
  const files = filesBelow('docs/decisions', /\/\d{4}-[\w-]+\.md$/)
  const index = read('docs/decisions/README.md')
  expect(files.filter((path) => !index.includes(`(${path.split('/').at(-1)})`))).toEqual([])
  const numbers = files.map((path) => Number(/(\d{4})-/.exec(path)?.[1]))
  expect(numbers).toEqual(numbers.map((_, at) => at + 1))
  for (const path of files) {
    expect(read(path)).toMatch(
      /^# .+\n\n## Context\n[\s\S]+\n## Decision\n[\s\S]+\n## Consequences\n/,
    )
  }
})
