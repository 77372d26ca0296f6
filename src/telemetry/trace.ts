import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  context,
  isSpanContextValid,
  ProxyTracerProvider,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { toTaskError } from '../core/outcome.js'

const tracer = trace.getTracer('redisdistro')
/** What the API delegates to while no SDK is registered. */
const noProvider = new ProxyTracerProvider().getDelegate()
const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

// Without an SDK there is no context manager, and `context.with` keeps nothing: what a remote caller
// named is then carried here. Entered only where there is something to carry, since an async store
// slows every promise of the process.
const carried = new AsyncLocalStorage<string>()

function traceparentOf(span: SpanContext | undefined): string | undefined {
  if (!span || !isSpanContextValid(span)) return undefined
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
}

/** The W3C traceparent of the context that is active now, or undefined outside any trace. */
export const activeTraceparent = (): string | undefined =>
  traceparentOf(trace.getSpanContext(context.active())) ?? carried.getStore()

/** The trace id in a traceparent; undefined where it is not one. */
export const traceIdOf = (traceparent: string | undefined): string | undefined =>
  traceparent === undefined ? undefined : (pattern.exec(traceparent)?.[1] ?? undefined)

/** The active context, with the remote span that `traceparent` names where it is a valid one. */
function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = pattern.exec(traceparent ?? '') ?? []
  if (traceId === undefined || spanId === undefined) return context.active()
  const traceFlags = Number.parseInt(flags ?? '0', 16) & TraceFlags.SAMPLED
  const remote = { traceId, spanId, traceFlags, isRemote: true }
  return isSpanContextValid(remote)
    ? trace.setSpanContext(context.active(), remote)
    : context.active()
}

const within = <Result>(
  inner: Context,
  traceparent: string | undefined,
  run: () => Result,
): Result =>
  traceparent === undefined
    ? context.with(inner, run)
    : carried.run(traceparent, () => context.with(inner, run))

/** Runs `run` in the trace that a remote caller named; in the active one if it named none. */
export const inTrace = <Result>(traceparent: string | undefined, run: () => Result): Result =>
  traceIdOf(traceparent) === undefined ? run() : within(contextOf(traceparent), traceparent, run)

/**
 * True where a run is to be traced: an SDK is there to hear of it, or the task carries a trace that
 * the handler's own enqueues go on with. Asked for each task, so that the others pay nothing.
 */
export function tracingWanted(traceparent: string | undefined): boolean {
  if (traceparent !== undefined) return true
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== noProvider
}

export interface ProcessSpan {
  readonly queue: string
  readonly taskId: string
  readonly type: string
  readonly attempt: number
  readonly traceparent: string | undefined
}

function end(span: Span, error: unknown): void {
  if (error !== undefined) {
    // The same words as are stored with the attempt: bounded, and without secrets.
    const { name, message, stack } = toTaskError(error)
    span.recordException({ name, message, ...(stack === undefined ? {} : { stack }) })
    span.setStatus({ code: SpanStatusCode.ERROR, message })
    span.setAttribute('error.type', name)
  }
  span.end()
}

/** Runs one attempt inside its `process <queue>` span, a child of the trace that enqueued it. */
export async function inProcessSpan<Result>(
  about: ProcessSpan,
  run: () => Promise<Result>,
): Promise<Result> {
  const parent = contextOf(about.traceparent)
  const origin = trace.getSpanContext(parent)
  const span = tracer.startSpan(
    `process ${about.queue}`,
    {
      kind: SpanKind.CONSUMER,
      ...(origin ? { links: [{ context: origin }] } : {}),
      attributes: {
        'messaging.system': 'redisdistro',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': about.queue,
        'messaging.message.id': about.taskId,
        'redisdistro.task.type': about.type,
        'redisdistro.task.attempt': about.attempt,
      },
    },
    parent,
  )
  try {
    const result = await within(trace.setSpan(parent, span), traceparentOf(span.spanContext()), run)
    end(span, undefined)
    return result
  } catch (error) {
    end(span, error ?? new Error('rejected with nothing'))
    throw error
  }
}

/** Runs one enqueue inside its `send <queue>` span, and hands it the traceparent to carry. */
export async function inSendSpan<Result>(
  about: { readonly queue: string; readonly count: number },
  run: (traceparent: string | undefined) => Promise<Result>,
): Promise<Result> {
  const parent = contextOf(activeTraceparent())
  const span = tracer.startSpan(
    `send ${about.queue}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'redisdistro',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': about.queue,
        ...(about.count > 1 ? { 'messaging.batch.message_count': about.count } : {}),
      },
    },
    parent,
  )
  try {
    const result = await run(traceparentOf(span.spanContext()))
    end(span, undefined)
    return result
  } catch (error) {
    end(span, error ?? new Error('rejected with nothing'))
    throw error
  }
}
