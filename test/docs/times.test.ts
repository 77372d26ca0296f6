import { expect, test } from 'vitest'
import { resolveRunAt } from '../../src/core/run-at.js'
import { read } from '../house/source.js'

const page = read('docs/times.md')
const moment = { tz: 'Europe/Rome', now: Date.parse('2026-03-18T10:30:15+01:00') }

/** The texts of the table under a heading, each with the other column of its row. */
function examplesOf(heading: string): [text: string, says: string][] {
  const [, chapter = ''] = page.split(`## ${heading}\n`)
  const [table = ''] = chapter.split('\n## ')
  return [...table.matchAll(/^\| (`.+`) \| (.+) \|$/gm)].flatMap(([, texts = '', says = '']) =>
    [...texts.matchAll(/`([^`]+)`/g)].map(([, text = '']) => [text, says] as [string, string]),
  )
}

const understood = examplesOf('Texts by example')
const refused = examplesOf('What is refused')

test('the page has its examples', () => {
  expect(understood.length).toBeGreaterThan(40)
  expect(refused.length).toBeGreaterThan(20)
})

test.each(understood)('%s is read as %s', (runAt, at) => {
  const result = resolveRunAt({ runAt, ...moment })
  expect(result).toMatchObject({ ok: true, at: Date.parse(at), kind: 'text' })
})

test.each(refused)('%s is refused: %s', (runAt, because) => {
  expect(resolveRunAt({ runAt, ...moment })).toMatchObject({
    ok: false,
    reason: expect.stringContaining(because),
  })
})
