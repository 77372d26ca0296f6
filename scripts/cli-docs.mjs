// Writes docs/cli.md from the tree of commands and the table of the doctor's checks; `--check` only
// compares.
import { built, isMain, writeOrCheck } from './generated.mjs'

/** @typedef {import('commander').Command} Command */
/** @typedef {Record<string, { why: string, danger?: string }>} Checks */

const head = `<!-- Written by scripts/cli-docs.mjs from src/cli and src/kernel/doctor; do not edit. -->

# The command

\`redisdistro\`, noun then verb. Results go to stdout, everything else to stderr. Every command takes
\`--config PATH\`, \`--json\` (one JSON document and nothing else on stdout), \`--redis-url URL\` and
\`--help\`, which has examples.

On a terminal a table is cut to its width with \`…\`, and the least telling columns are left out first;
where the output goes elsewhere nothing is cut. Colours are for terminals alone, and \`NO_COLOR\` turns
them off. Work that takes long shows how far it is, on a terminal.

| exit code | says |
| --- | --- |
| 0 | done |
| 1 | failed: the command was right, and could not be done; of \`doctor\`, that tasks may be lost |
| 2 | wrong use: an argument, option, payload, time, or the name of a type, queue or file |

\`\`\`bash
source <(redisdistro completion bash)   # in ~/.bashrc; zsh alike
redisdistro completion fish > ~/.config/fish/completions/redisdistro.fish
\`\`\`
`

const doctor = `## What \`doctor\` checks

\`redisdistro doctor\` looks at everything side by side, within ten seconds, and starts none of it. Each
finding says what was found, why it matters and what to do: \`ok\`, \`note\`, \`warning\`, or \`danger\`,
which means that tasks may be lost or none can be taken. Any danger makes it exit 1. With \`--json\` it
prints \`{ ok, findings: [{ check, verdict, found, why, do? }] }\`.

What is not there, such as sentinels where there is one Redis, has no finding. The rights of the user
are tried, on a key of the prefix that no queue has; nothing is left of it. A plugin looks at what it
needs outside [by its own check](plugins.md#what-it-needs-outside).
`

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|')

/** @param {Command} command */
function usageOf(command) {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.name().toUpperCase()
    return argument.required ? name : `[${name}]`
  })
  let path = command.name()
  for (let above = command.parent; above; above = above.parent) path = `${above.name()} ${path}`
  return [path, ...words].join(' ')
}

/** @param {Command} command */
function sectionOf(command) {
  const takes = [
    ...command.registeredArguments.map((argument) => {
      const { description, argChoices } = argument
      return { name: argument.name().toUpperCase(), says: description, argChoices }
    }),
    ...command.options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, description, argChoices }) => ({
        name: flags,
        says: description,
        argChoices,
      })),
  ]
  const rows = takes.map(({ name, says, argChoices }) => {
    const choices = argChoices ? `: ${argChoices.join(', ')}` : ''
    return `| \`${cell(name)}\` | ${cell(says + choices)} |`
  })
  const table = rows.length === 0 ? '' : `\n\n| takes | |\n| --- | --- |\n${rows.join('\n')}`
  const about = command.description()
  return `### \`${usageOf(command)}\`\n\n${about[0]?.toUpperCase()}${about.slice(1)}.${table}\n`
}

/**
 * The commands that do something: the ones without others below them.
 * @param {Command} command
 * @returns {Command[]}
 */
const leavesOf = (command) =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)

/**
 * The page's text.
 * @param {{ program: Command, checks: Checks }} parts
 */
export function renderCli({ program, checks }) {
  const sections = leavesOf(program).map(sectionOf)
  const rows = Object.entries(checks).map(
    ([name, { why, danger }]) => `| \`${name}\` | ${cell(why)} | ${cell(danger ?? '–')} |`,
  )
  return `${head}
## Commands

${sections.join('\n')}
${doctor}
| check | why it matters | a danger, where |
| --- | --- | --- |
${rows.join('\n')}
`
}

if (isMain(import.meta.url)) {
  const { makeProgram } = await built('src/cli/program.js')
  const { checks } = await built('src/kernel/doctor/checks.js')
  writeOrCheck('docs/cli.md', renderCli({ program: makeProgram(), checks }))
}
