import { z } from 'zod'
import { redact } from '../core/secrets.js'

/** A line of code that may hold a secret outside of quotes. */
const suspicious = /pass|secret|token|key|auth|credential|:\/\//i

const quoted = /(["'`])((?:\\.|(?!\1).)*)(\1|$)/g

/**
 * A line of code as an error may show it: what is in quotes is dotted out, for a config's texts may
 * be secrets that nobody has read yet. undefined where nothing of the line should be shown.
 */
export function withoutTexts(line: string): string | undefined {
  if (suspicious.test(line)) return undefined
  const dots = (_: string, open: string, text: string, close: string) =>
    `${open}${'·'.repeat(text.length)}${close}`
  return redact(line.replace(quoted, dots))
}

/** V8's words for what is no JSON, without the piece of the text that it shows. */
export const withoutSnippet = (words: string): string =>
  words.replace(/, "?(\.\.\.)?[\s\S]*is not valid JSON/, ' is not valid JSON')

const yamlFault = z.object({
  reason: z.string(),
  mark: z.object({ line: z.number(), column: z.number() }).optional(),
})

/** Line and column of an offset, from 1, as `:line:column`. */
function placeAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

/** How many characters V8 shows before the one that it stumbles over. */
const shownBefore = 10

/** Where a text stops being JSON, as far as V8 says it; undefined where it is JSON. */
function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const words = String(error)
    const position = /at position (\d+)/.exec(words)?.[1]
    if (position !== undefined) return placeAt(text, Number(position))
    const around = /, \.\.\."([\s\S]*)"(\.\.\.)? is not valid JSON$/.exec(words)?.[1]
    const start = around === undefined ? -1 : text.indexOf(around)
    return start < 0 ? '' : placeAt(text, start + shownBefore)
  }
}

/**
 * What is wrong with a config of JSON or YAML: `:line:column: reason`. Never a piece of the text, as
 * the libraries' own words have it.
 */
export function textFault(error: unknown, text: string): string {
  const yaml = yamlFault.safeParse(error)
  if (yaml.success) {
    const { reason, mark } = yaml.data
    const place = mark ? `:${mark.line + 1}:${mark.column + 1}` : ''
    return `${place}: it is not YAML: ${reason.replace(/"[^"]*"|<[^>]*>/g, '…')}`
  }
  const json = jsonFault(text)
  return json === undefined ? ': it cannot be read' : `${json}: it is not JSON`
}
