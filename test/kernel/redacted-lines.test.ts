import { expect, test } from 'vitest'
import { learnSecret } from '../../src/core/secrets.js'
import { redactedLines } from '../../src/kernel/redacted-lines.js'

function collect() {
  const said: string[] = []
  return { said, lines: redactedLines((text) => void said.push(text)) }
}

test('a secret that is halved by the end of a chunk is found', () => {
  const secret = `halved-${Math.random().toString(36).slice(2)}`
  learnSecret(secret)
  const { said, lines } = collect()
  for (const part of [`a\nwith ${secret.slice(0, 9)}`, secret.slice(9), ' in\nb', 'c'])
    lines.take(part)
  expect(said.join('')).toBe('a\nwith [redacted] in\n')
  lines.end()
  lines.end()
  expect(said.join('')).toBe('a\nwith [redacted] in\nbc')
})

test('a line without an end is handed on in parts', () => {
  const { said, lines } = collect()
  lines.take('x'.repeat(70_000))
  expect(said.join('')).toHaveLength(70_000)
})
