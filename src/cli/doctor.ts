import type { Command } from 'commander'
import { redact } from '../core/secrets.js'
import type { Finding, Verdict } from '../kernel/doctor/checks.js'
import { exitCodeOf, exitCodes } from './failure.js'
import { type Globals, optionsOf } from './globals.js'
import { paint, printResult, progressLine, wrap } from './output.js'
import { readProject } from './project.js'

const styles: Readonly<Record<Verdict, 'green' | 'cyan' | 'yellow' | 'red'>> = {
  ok: 'green',
  note: 'cyan',
  warning: 'yellow',
  danger: 'red',
}

const widest = 'warning'.length
const margin = ' '.repeat(widest + 2)

function paragraphOf({ check, verdict, found, why, do: todo }: Finding): string {
  const lines = [
    wrap(`${check}: ${found.replace(/\s+/g, ' ').trim()}`, margin),
    wrap(why, `${margin}why: `),
    ...(todo === undefined ? [] : [wrap(todo, `${margin}do:  `)]),
  ]
  const text = lines.join('\n').slice(margin.length)
  return `${paint(styles[verdict], verdict.padEnd(margin.length))}${text}`
}

function summaryOf(findings: readonly Finding[]): string {
  const named = (wanted: Verdict) => {
    const found = findings.filter(({ verdict }) => verdict === wanted).map(({ check }) => check)
    const names = found.length === 0 ? '' : ` (${[...new Set(found)].join(', ')})`
    return `${found.length} ${wanted}${found.length === 1 ? '' : 's'}${names}`
  }
  const counts = `${findings.length} findings: ${named('danger')}, ${named('warning')}.`
  return isHealthy(findings)
    ? paint('green', wrap(`${counts} Nothing here loses tasks.`, ''))
    : paint('red', wrap(`${counts} Tasks may be lost, or none can be taken.`, ''))
}

const isHealthy = (findings: readonly Finding[]): boolean =>
  findings.every(({ verdict }) => verdict !== 'danger')

/** What the checks found; what a wrong flag does is wrong use, as everywhere. */
async function findAll(globals: Globals): Promise<Finding[]> {
  const { configFinding, examine } = await import('../kernel/doctor/index.js')
  let config: Awaited<ReturnType<typeof readProject>>
  try {
    config = await readProject(globals)
  } catch (error) {
    if (exitCodeOf(error) === exitCodes.wrongUse) throw error
    return [configFinding(error)]
  }
  const line = progressLine((done) => `looking at store, plugins and telemetry: ${done} of 3`)
  line.show(0)
  return await examine(config, line.show).finally(line.end)
}

/** Words of others, such as a server's, may hold what is nobody's to read. */
const clean = (finding: Finding): Finding => ({
  ...finding,
  found: redact(finding.found),
  ...(finding.do === undefined ? {} : { do: redact(finding.do) }),
})

async function doctor(globals: Globals): Promise<void> {
  const findings = (await findAll(globals)).map(clean)
  const healthy = isHealthy(findings)
  const words = () => [...findings.map(paragraphOf), summaryOf(findings)].join('\n\n')
  await printResult({ ok: healthy, findings }, { json: globals.json === true, words })
  if (!healthy) process.exitCode = exitCodes.failed
}

/** `doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check config, Redis, queues and plugins for what loses tasks; exits 1 if any does',
    )
    .action((_, command: Command) => doctor(optionsOf(command)))
}
