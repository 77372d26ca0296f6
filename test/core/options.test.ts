import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask, taskSettingsSchema } from '../../src/core/definition.js'
import { enqueueOptionsSchema } from '../../src/core/enqueue-options.js'
import { taskDefaultsSchema } from '../../src/core/task-defaults.js'

const wordsOf = (result: z.ZodSafeParseResult<unknown>): string[] =>
  (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)

describe('durations of nothing', () => {
  test.each([0, '0', '0s', '0.4ms'])(
    'a timeout of %j is refused wherever it is given',
    (timeout) => {
      const refused = ['timeout: must be at least 1ms']
      expect(wordsOf(enqueueOptionsSchema.safeParse({ timeout }))).toEqual(refused)
      expect(wordsOf(taskSettingsSchema.safeParse({ timeout }))).toEqual(refused)
      expect(wordsOf(taskDefaultsSchema.safeParse({ timeout }))).toEqual(refused)
      const task = { type: 'quick', payload: z.unknown(), handle: () => undefined }
      expect(() => defineTask({ ...task, timeout })).toThrow(/timeout: must be at least 1ms/)
      expect(defineTask({ ...task, timeout: 1 }).timeout).toBe(1)
    },
  )

  test.each(['expiresIn', 'uniqueFor'])(
    '%s is refused, which would be over before it began',
    (name) => {
      const refused = [`${name}: must be at least 1ms`]
      expect(wordsOf(enqueueOptionsSchema.safeParse({ [name]: 0 }))).toEqual(refused)
      expect(enqueueOptionsSchema.parse({ [name]: '1ms' })).toEqual({ [name]: 1 })
    },
  )

  test('a delay and the delays of retries may be none', () => {
    expect(enqueueOptionsSchema.parse({ delay: 0 })).toEqual({ delay: 0 })
    const retry = { delay: 0, maxDelay: '0s' }
    expect(taskSettingsSchema.parse({ retry })).toEqual({ retry: { delay: 0, maxDelay: 0 } })
  })

  test('what is no duration is still told as such, once', () => {
    expect(wordsOf(enqueueOptionsSchema.safeParse({ timeout: 'soon' }))).toEqual([
      'timeout: "soon" is not a duration; write one such as 500ms, 30s, 5m, 1h30m, 24h',
    ])
  })
})

describe('names', () => {
  test.each(['.', '..', '...', '', 'a b', 'a/b', 'a\n', 'x'.repeat(129)])('%j is none', (name) => {
    const rule = /must be 1 to 128 of A-Z a-z 0-9 \. _ : -, and not dots alone$/
    for (const option of ['taskId', 'queue']) {
      const words = wordsOf(enqueueOptionsSchema.safeParse({ [option]: name }))
      expect(words).toEqual([expect.stringMatching(rule)])
    }
    for (const schema of [taskSettingsSchema, taskDefaultsSchema]) {
      const words = wordsOf(schema.safeParse({ deadLetter: name }))
      expect(words).toEqual([expect.stringMatching(rule)])
    }
    const task = { type: name, payload: z.unknown(), handle: () => undefined }
    expect(() => defineTask(task)).toThrow(rule)
  })

  test.each(['.a', 'a.', '..-', 'order:17', 'x'.repeat(128)])('%j is one', (name) => {
    expect(enqueueOptionsSchema.parse({ taskId: name })).toEqual({ taskId: name })
  })
})
