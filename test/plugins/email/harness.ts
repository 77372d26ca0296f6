import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PluginClient, PluginHost, TaskContext } from 'redisdistro'
import email, {
  type EmailOptionsInput,
  type EmailPayload,
  type EmailResult,
} from 'redisdistro/plugins/email'
import { expect, onTestFinished } from 'vitest'
import { type SinkReplies, startSmtpSink } from './smtp-sink.js'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Record<string, unknown>
}

export interface Run {
  readonly taskId?: string
  readonly attempt?: number
  readonly signal?: AbortSignal
}

/** A log that keeps its lines. */
export function keepLog() {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      lines.push({ level, message, fields })
    }
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { lines, log }
}

export interface Harness {
  readonly directory: string
  readonly lines: LogLine[]
  /** Parses the payload by the definition's schema and runs the handler once. */
  send(payload: unknown, run?: Run): Promise<EmailResult>
  parse(payload: unknown): EmailPayload
  close(): Promise<void>
}

/** Sets the plugin up as a kernel does, in a folder of its own; the test's end closes it. */
export async function setUp(
  options: EmailOptionsInput = {},
  { production = false, client = undefined as PluginClient | undefined } = {},
): Promise<Harness> {
  const directory = await mkdtemp(join(tmpdir(), 'rd-email-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const { lines, log } = keepLog()
  const plugin = email(options)
  // Without a client it is what a test of somebody else's might make of a host.
  await plugin.setup?.({ log, directory, client, env: { production } } as PluginHost)
  const close = async () => plugin.close?.()
  onTestFinished(close)
  const [definition] = plugin.tasks
  const parse = (payload: unknown) => definition.payload.parse(payload)
  return {
    directory,
    lines,
    parse,
    close,
    async send(payload, { taskId = 'task-1', attempt = 1, signal } = {}) {
      const context: TaskContext = {
        task: {
          id: taskId,
          type: 'email',
          queue: 'default',
          attempt,
          maxAttempts: 8,
          enqueuedAt: new Date(),
          fence: attempt,
        },
        signal: signal ?? new AbortController().signal,
        log,
        progress: async () => {},
      }
      return definition.handle(parse(payload), context)
    },
  }
}

export const hello = { to: 'ann@example.com', subject: 'Hello', body: 'Good morning.' }

/** Sets the plugin up to send to a real SMTP server that replies as told. */
export async function setUpWithServer(
  replies: SinkReplies = {},
  query = '',
  client?: PluginClient | undefined,
) {
  const sink = await startSmtpSink(replies)
  onTestFinished(() => sink.stop())
  const options = { from: 'App <app@example.org>', smtp: `${sink.url}${query}` }
  const harness = await setUp(options, { client })
  return { sink, ...harness }
}

/** The error that a delivery fails with. */
export const failureOf = (sending: Promise<unknown>): Promise<Error> =>
  sending.then(
    () => expect.fail('the mail went through'),
    (error: Error) => error,
  )
