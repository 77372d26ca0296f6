import { expect, test } from 'vitest'
import { optionsSchema } from '../../plugins/email/options.js'
import { renderConfig } from '../../scripts/config-docs.mjs'
import { enqueueOptionsSchema } from '../../src/core/enqueue-options.js'
import { configSchema } from '../../src/kernel/config-schema.js'
import { read } from '../house/source.js'

const page = renderConfig({
  config: configSchema,
  email: optionsSchema,
  enqueue: enqueueOptionsSchema,
})

test('docs/configuration.md is what the schemas say', () => {
  expect(read('docs/configuration.md')).toBe(page)
})

test('every key of the config has its section and every option a description', () => {
  for (const key of Object.keys(configSchema.shape)) expect(page).toContain(`\n## ${key}\n`)
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.length).toBeGreaterThan(80)
  expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([])
})
