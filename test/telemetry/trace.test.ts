import { describe, expect, test } from 'vitest'
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
