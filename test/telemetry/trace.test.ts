import { SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, onTestFinished, test } from 'vitest'
import { learnSecret } from '../../src/core/secrets.js'
import {
  activeTraceparent,
  inProcessSpan,
  inSendSpan,
  inTrace,
  traceIdOf,
  tracingWanted,
} from '../../src/telemetry/trace.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const carrier = `00-${traceId}-b7ad6b7169203331-01`
const about = { queue: 'q', taskId: 't', type: 'email', attempt: 1 }

describe('without an SDK', () => {
  test('nothing is traced outside a trace, and an enqueue carries nothing', async () => {
    expect(activeTraceparent()).toBeUndefined()
    expect(tracingWanted(undefined)).toBe(false)
    expect(await inSendSpan({ queue: 'q', count: 1 }, async (carried) => carried)).toBeUndefined()
  })

  test("a caller's trace goes with the enqueue, through every wait", async () => {
    const seen = await inTrace(carrier, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return inSendSpan({ queue: 'q', count: 2 }, async (carried) => carried)
    })
    expect(traceIdOf(seen)).toBe(traceId)
    expect(activeTraceparent()).toBeUndefined()
  })

  test('a run goes on with the trace of its task, and its own enqueues carry it', async () => {
    expect(tracingWanted(carrier)).toBe(true)
    const carried = await inProcessSpan({ ...about, traceparent: carrier }, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return inSendSpan({ queue: 'q', count: 1 }, async (traceparent) => traceparent)
    })
    expect(traceIdOf(carried)).toBe(traceId)
  })

  test('two runs at once keep to their own traces', async () => {
    const ids = [traceId, traceId.replace('0af', '1bf')]
    const runs = ids.map((id) =>
      inProcessSpan({ ...about, traceparent: carrier.replace(traceId, id) }, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return traceIdOf(activeTraceparent())
      }),
    )
    expect(await Promise.all(runs)).toEqual(ids)
  })

  test('what a run throws comes out as it was thrown', async () => {
    const thrown = { odd: true }
    const run = async () => {
      throw thrown
    }
    await expect(inProcessSpan({ ...about, traceparent: carrier }, run)).rejects.toBe(thrown)
    await expect(inSendSpan({ queue: 'q', count: 1 }, run)).rejects.toBe(thrown)
  })
})

test.each([
  undefined,
  '',
  'junk',
  `01-${traceId}-b7ad6b7169203331-01`,
  `00-${traceId}-b7ad6b7169203331`,
  `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`,
])('%j names no trace, and its run is in none', (text) => {
  expect(traceIdOf(text)).toBeUndefined()
  expect(inTrace(text, () => activeTraceparent())).toBeUndefined()
})

test("a span of a failed run has the error's words, without secrets", async () => {
  const secret = `span-${Math.random().toString(36).slice(2)}`
  learnSecret(secret)
  const heard: unknown[] = []
  const hear = (...what: unknown[]) => void heard.push(what)
  const span = {
    spanContext: () => ({ traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 }),
    recordException: hear,
    setStatus: hear,
    setAttribute: hear,
    end: hear,
  }
  const provider = {
    getTracer: () => ({ startSpan: () => span, startActiveSpan: () => undefined }),
  }
  trace.setGlobalTracerProvider(provider as never)
  onTestFinished(() => trace.disable())
  const error = Object.assign(new Error(`not with ${secret}`), { env: secret })
  const fail = () => Promise.reject(error)
  await expect(inProcessSpan({ ...about, traceparent: undefined }, fail)).rejects.toBe(error)
  await expect(inSendSpan({ queue: 'q', count: 1 }, fail)).rejects.toBe(error)
  const status = { code: SpanStatusCode.ERROR, message: 'not with [redacted]' }
  expect(heard).toContainEqual([status])
  expect(heard).toContainEqual([
    { name: 'Error', message: 'not with [redacted]', stack: expect.stringContaining('at ') },
  ])
  expect(JSON.stringify(heard)).not.toContain(secret)
})
