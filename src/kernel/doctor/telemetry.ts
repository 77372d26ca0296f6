import { connect } from 'node:net'
import type { Variables } from '../env.js'
import { type Finding, finding, wordsOf } from './checks.js'

interface Endpoint {
  readonly url: URL
  readonly grpc: boolean
  readonly headers: Record<string, string>
}

function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]]
  })
  return Object.fromEntries(pairs)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Where traces go, as the variables of OpenTelemetry say it; undefined where they say nothing. */
function endpointOf(env: Variables): Endpoint | string | undefined {
  const ofTraces = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  const text = ofTraces || base
  if (!text) return undefined
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return text
  const protocol =
    env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'] || ''
  const grpc = protocol === 'grpc'
  const url = new URL(text)
  if (!ofTraces && !grpc) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`
  const headers = headersOf(
    env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] || env['OTEL_EXPORTER_OTLP_HEADERS'] || '',
  )
  return { url, grpc, headers }
}

/** Sends an export of nothing; resolves with the status. */
async function send({ url, headers }: Endpoint, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"resourceSpans":[]}',
    signal,
  })
  await answer.body?.cancel()
  return answer.status
}

/** Resolves once something listens there. */
function reach({ url }: Endpoint, signal: AbortSignal): Promise<void> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port, signal })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}

/** The words of what broke a request: fetch keeps them in the cause. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause ? wordsOf(error.cause) : wordsOf(error)

/** Whether the endpoint that traces go to takes them. */
export async function checkTelemetry(env: Variables, signal: AbortSignal): Promise<Finding[]> {
  const endpoint = endpointOf(env)
  if (endpoint === undefined) {
    const found = 'OTEL_EXPORTER_OTLP_ENDPOINT is not set: no traces are sent'
    return [finding('telemetry', 'ok', { found })]
  }
  if (typeof endpoint === 'string') {
    const found = `OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// URL: ${endpoint}`
    return [finding('telemetry', 'warning', { found, todo: 'set it to http://localhost:4318' })]
  }
  const { url, grpc } = endpoint
  const place = `${url.origin}${url.pathname}`
  try {
    if (grpc) {
      await reach(endpoint, signal)
      return [finding('telemetry', 'ok', { found: `something listens at ${url.host} (gRPC)` })]
    }
    const status = await send(endpoint, signal)
    if (status < 300) return [finding('telemetry', 'ok', { found: `${place} takes traces` })]
    const found = `${place} answers ${status} to an empty export`
    const todo =
      status === 401 || status === 403
        ? 'mend OTEL_EXPORTER_OTLP_HEADERS'
        : 'mend OTEL_EXPORTER_OTLP_ENDPOINT, or what listens there'
    return [finding('telemetry', 'warning', { found, todo })]
  } catch (error) {
    const found = `${place} cannot be reached: ${reasonOf(error)}`
    const todo = 'start the collector, or unset OTEL_EXPORTER_OTLP_ENDPOINT'
    return [finding('telemetry', 'warning', { found, todo })]
  }
}
