import { expect, test } from 'vitest'
import { renderCli } from '../../scripts/cli-docs.mjs'
import { makeProgram } from '../../src/cli/program.js'
import { checks } from '../../src/kernel/doctor/checks.js'
import { read } from '../house/source.js'

test('docs/cli.md is what the commands and the checks say', () => {
  expect(read('docs/cli.md')).toBe(renderCli({ program: makeProgram(), checks }))
})
