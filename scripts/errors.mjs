// Writes docs/errors.md from the table of src/core/errors.ts; `--check` only compares.
import { built, isMain, writeOrCheck } from './generated.mjs'

/**
 * What a caller does about each family.
 * @type {Record<string, string>}
 */
const families = {
  config: 'Thrown at boot, before anything runs. Mend the config, the environment or the plugin.',
  caller: 'The call cannot be taken as it is, and nothing was written. Mend the call.',
  infrastructure: 'The store did not do its part. Repeat, with the same id where one was given.',
  lease: 'The worker may no longer speak for the task. Another worker has it, or will.',
  handler: 'Recorded in the attempts of a task that failed or was given up on.',
}

/**
 * The page's text.
 * @param {Record<string, { family: string, status?: number, says: string }>} errorCodes
 */
export function renderErrors(errorCodes) {
  const codes = Object.entries(errorCodes)
  const withStatus = codes.some(([, { status }]) => status !== undefined)
  const head = withStatus
    ? '| code | HTTP | what it says |\n| --- | --- | --- |'
    : '| code | what it says |\n| --- | --- |'
  const row = (/** @type {(typeof codes)[number]} */ [code, { status, says }]) =>
    withStatus ? `| \`${code}\` | ${status ?? '–'} | ${says} |` : `| \`${code}\` | ${says} |`
  const sections = [...new Set(codes.map(([, { family }]) => family))].map((family) => {
    const rows = codes.filter(([, entry]) => entry.family === family).map(row)
    return `## ${family}\n\n${wordsOf(family)}\n\n${head}\n${rows.join('\n')}\n`
  })
  return `<!-- Written by scripts/errors.mjs from src/core/errors.ts; do not edit. -->

# Errors

Every error of the product is a \`RedisDistroError\` with one of these codes: \`error.code\` in a
program, \`code\` in a problem document of the HTTP API, and in a task's attempts.

${sections.join('\n')}`
}

/** @param {string} family */
function wordsOf(family) {
  const text = families[family]
  if (text === undefined) throw new Error(`scripts/errors.mjs has no words for '${family}'`)
  return text
}

if (isMain(import.meta.url)) {
  const { errorCodes } = await built('src/core/errors.js')
  writeOrCheck('docs/errors.md', renderErrors(errorCodes))
}
