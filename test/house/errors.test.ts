import { expect, test } from 'vitest'
import { renderErrors } from '../../scripts/errors.mjs'
import { errorCodes } from '../../src/core/errors.js'
import { read, sourceFiles } from './source.js'

const codes = Object.keys(errorCodes)

test('docs/errors.md lists exactly the codes of the table', () => {
  const listed = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)
  expect([...listed].sort()).toEqual([...codes].sort())
})

test('docs/errors.md is what the table says', () => {
  expect(read('docs/errors.md')).toBe(renderErrors(errorCodes))
})

test('every code of the table is used by the source', () => {
  const source = sourceFiles()
    .filter((path) => path !== 'src/core/errors.ts')
    .map(read)
    .join('\n')
  expect(codes.filter((code) => !new RegExp(`['"\`]${code}['"\`]`).test(source))).toEqual([])
})
