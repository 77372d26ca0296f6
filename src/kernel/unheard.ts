import type { Log } from '../telemetry/log.js'
import type { ResolvedConfig } from './resolved-config.js'

/** Where OpenTelemetry's own variables send traces and metrics. */
const exporting = /^OTEL_(EXPORTER_OTLP_(\w+_)?ENDPOINT|(TRACES|METRICS|LOGS)_EXPORTER)$/

/** Settings that ask for telemetry to leave the process, or to be other than it is. */
function unheard(config: Pick<ResolvedConfig, 'sources'>, env: NodeJS.ProcessEnv): string[] {
  const keys = ['traces', 'metrics'].map((key) => `telemetry.${key}`)
  // OTEL_SERVICE_NAME is heard by the SDK that the process may have.
  const given = keys.filter((key) => config.sources.get(key) === 'config')
  const set = Object.entries(env).filter(
    ([name, value]) => exporting.test(name) && value && value !== 'none',
  )
  return [...given, ...set.map(([name]) => name).sort()]
}

/** Warns of settings of telemetry that are taken and change nothing yet. */
export function warnOfUnheard(
  config: Pick<ResolvedConfig, 'sources'>,
  log: Log,
  env: NodeJS.ProcessEnv = process.env,
): void {
  const settings = unheard(config, env)
  if (settings.length === 0) return
  const words =
    'Nothing is exported yet, so these settings of telemetry change nothing; counters are at ' +
    '/metrics, and spans go to an OpenTelemetry SDK where the process has one'
  log.warn(words, { settings })
}
