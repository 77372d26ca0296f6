import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { definePlugin, FatalError } from 'redisdistro'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { choosePort } from '../../../src/broker/embedded/redis-process.js'
import { checkPlugins } from '../../../src/kernel/doctor/plugins.js'
import { judgeLeft, judgeQueues } from '../../../src/kernel/doctor/queues.js'
import { checkTelemetry } from '../../../src/kernel/doctor/telemetry.js'
import { kernelOf, testConfig } from '../stage.js'
import { lineOf } from './facts.js'

const signal = new AbortController().signal

test('each plugin says by its check what is there, without its setup', async () => {
  const plain = (name: string, check?: () => string) =>
    definePlugin({
      name,
      tasks: [],
      setup: () => {
        throw new Error('setup was called')
      },
      ...(check ? { check } : {}),
    })
  const able = definePlugin({
    name: 'able',
    options: z.object({ place: z.string() }),
    tasks: [],
    check: ({ directory, env }, { place }) => `${place} ${env.production} ${directory.length > 0}`,
  })
  const plugins = [
    plain('quiet'),
    able({ place: 'there' }),
    plain('poor', () => {
      throw new Error('no answer')
    }),
    plain('broken', () => {
      throw new FatalError('no place is set')
    }),
  ]
  const { config } = await kernelOf(testConfig({ plugins }))
  expect((await checkPlugins(config, signal)).map(lineOf)).toEqual([
    "plugin ok: plugin 'quiet' loads (no tasks)",
    "plugin ok: plugin 'able' loads (no tasks); there false true",
    expect.stringMatching(/^plugin warning: plugin 'poor': no answer -> /),
    expect.stringMatching(/^plugin danger: plugin 'broken': no place is set -> /),
  ])
  const none = await kernelOf(testConfig({ plugins: [] }))
  expect((await checkPlugins(none.config, signal)).map(lineOf)).toEqual([
    expect.stringMatching(/^plugin note: no plugin/),
  ])
})

/** A collector that answers as told, and keeps what it was sent. */
async function collector(status: number) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['x-key']}`)
    response.writeHead(status).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

test('the endpoint of traces is sent an empty export', async () => {
  const judge = async (env: Record<string, string>) =>
    (await checkTelemetry(env, signal)).map(lineOf).join('\n')
  expect(await judge({})).toMatch(/^telemetry ok: .*not set/)
  const taking = await collector(200)
  const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b' }
  expect(await judge({ OTEL_EXPORTER_OTLP_ENDPOINT: `${taking.url}/`, ...headers })).toBe(
    `telemetry ok: ${taking.url}/v1/traces takes traces`,
  )
  expect(await judge({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${taking.url}/x` })).toMatch(/ ok: /)
  expect(taking.seen).toEqual(['POST /v1/traces a b', 'POST /x undefined'])
  const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
  expect(await judge({ OTEL_EXPORTER_OTLP_ENDPOINT: taking.url, ...grpc })).toMatch(/ok: .*gRPC/)
  const closed = await collector(401)
  expect(await judge({ OTEL_EXPORTER_OTLP_ENDPOINT: closed.url })).toMatch(
    /^telemetry warning: .*401.*-> mend OTEL_EXPORTER_OTLP_HEADERS/,
  )
  const away = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await choosePort(0)}` }
  expect(await judge(away)).toMatch(/^telemetry warning: .*cannot be reached: .*ECONNREFUSED/)
  expect(await judge({ ...away, ...grpc })).toMatch(/^telemetry warning: .*ECONNREFUSED/)
  expect(await judge({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' })).toMatch(/no http:\/\//)
})

test('queues whose tasks wait for nobody are told of', () => {
  const limit = { age: 1, count: 100 }
  const retention = { completed: limit, dead: limit, cancelled: limit }
  const quiet = { name: 'a', retention, unended: 0, dead: 0, workers: 0, paused: false }
  const judge = (...queues: (typeof quiet)[]) => judgeQueues(queues).map(lineOf)
  expect(judge(quiet, { ...quiet, unended: 3, workers: 1 })).toEqual([
    'queues ok: 2 queues, 3 tasks that have not ended, 0 dead letters, 1 live worker',
  ])
  expect(judge({ ...quiet, unended: 1 })).toEqual([
    expect.stringMatching(/^queues warning: queue 'a' has 1 task and no live worker -> start one/),
  ])
  expect(judge({ ...quiet, paused: true, dead: 95 })).toEqual([
    expect.stringMatching(/^queues note: queue 'a' is paused, with 0 tasks/),
    expect.stringMatching(/^queues warning: queue 'a' has 95 dead letters; beyond 100/),
  ])
})

test('tasks that the config does not reach are told of', () => {
  expect(judgeLeft([]).map(lineOf)).toEqual([expect.stringMatching(/^partitions ok/)])
  const left = [
    { queue: 'a', left: 2, known: true },
    { queue: 'b', left: 1, known: false },
  ]
  expect(judgeLeft(left).map(lineOf)).toEqual([
    expect.stringMatching(/^partitions note: queue 'a' has 2 tasks under a former number/),
    expect.stringMatching(/^partitions warning: queue 'b', which is not in the config, has 1 task/),
  ])
})
