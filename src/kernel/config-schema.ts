import { z } from 'zod'
import { redisSchema } from '../broker/redis-settings.js'
import type { AnyTaskDefinition } from '../core/definition.js'
import { isPlugin, type Plugin } from '../core/plugin.js'
import { isTimeZone } from '../core/run-at.js'
import { type ScheduleInput, scheduleIdSchema, scheduleSchema } from '../core/schedule.js'
import { taskDefaultsSchema } from '../core/task-defaults.js'
import { httpSchema } from './config-schema/http.js'
import { queuesSchema, tasksSchema } from './config-schema/queues.js'
import { workerSchema } from './config-schema/worker.js'

/** A plugin as a config lists it: a value, a path or package name, or one of these with options. */
export type PluginEntry = Plugin | string | readonly [path: string, options: unknown]

const isPluginEntry = (value: unknown): value is PluginEntry =>
  isPlugin(value) ||
  (typeof value === 'string' && value !== '') ||
  (Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && value[0] !== '')

const pluginWords = 'is not a plugin; give what definePlugin() returned, a path, or [path, options]'

const pluginSchema = z.custom<PluginEntry>(isPluginEntry, {
  error: ({ input }) =>
    typeof input === 'function'
      ? 'is a function, not a plugin; a plugin with options is called: email({ … })'
      : pluginWords,
})

const telemetrySchema = z.strictObject({
  service: z
    .string()
    .min(1)
    .default('redisdistro')
    .describe(
      "Name of this service: whose the config's schedules are; in traces it changes nothing yet.",
    ),
  traces: z
    .boolean()
    .default(true)
    .describe('Spans, where the process has an OpenTelemetry SDK; false changes nothing yet.'),
  metrics: z
    .boolean()
    .default(true)
    .describe('Counters, served at /metrics; false changes nothing yet.'),
})

const timeSchema = z.strictObject({
  tz: z
    .string()
    .refine(isTimeZone, 'must be an IANA zone such as Europe/Rome or UTC')
    .default('UTC')
    .describe('Zone that text times and schedules are read in where nobody names one.'),
})

/** The whole config: types, defaults, messages and reference docs come from here. */
export const configSchema = z.strictObject({
  redis: redisSchema.prefault({}).describe('Where the tasks are stored.'),
  plugins: z.array(pluginSchema).default([]).describe('What this process knows to do.'),
  pluginRoots: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Folders outside the project that plugins by path may lie in, from the config's own.",
    ),
  tasks: tasksSchema.describe('Options of task types, over what their definitions say.'),
  schedules: z
    .record(scheduleIdSchema, scheduleSchema)
    .prefault({})
    .describe('Tasks that are enqueued again and again, by the id of their schedule.'),
  queues: queuesSchema.describe('The queues that exist, by name; default always does.'),
  defaults: taskDefaultsSchema.prefault({}).describe('What holds where nothing else is said.'),
  worker: workerSchema.prefault({}).describe('Leases, crashes and shutdown.'),
  http: httpSchema.describe('The API, or false for none.'),
  telemetry: telemetrySchema
    .prefault({})
    .describe('Traces and metrics; nothing is exported yet, and boot warns of what is set.'),
  time: timeSchema.prefault({}).describe('Zone of text times and schedules.'),
})

type ConfigInput = z.input<typeof configSchema>

/** A schedule of what plugins define: its task and payload are theirs; a path may define anything. */
type ScheduleOf<Entry extends PluginEntry> =
  Entry extends Plugin<infer Tasks> ? ScheduleOfTask<Tasks[number]> : ScheduleInput

type ScheduleOfTask<Task extends AnyTaskDefinition> = Task extends AnyTaskDefinition
  ? Omit<ScheduleInput, 'task' | 'payload'> & {
      readonly task: Task['type']
      readonly payload?: z.input<Task['payload']>
    }
  : never

/** A config with its defaults; durations in ms. */
export type ParsedConfig = z.output<typeof configSchema>

/** What `redisdistro.config.ts` exports by default. */
export interface Config<Plugins extends readonly PluginEntry[] = readonly PluginEntry[]>
  extends Omit<ConfigInput, 'plugins' | 'schedules'> {
  readonly plugins?: Plugins | undefined
  readonly schedules?: Readonly<Record<string, ScheduleOf<Plugins[number]>>> | undefined
}

/**
 * Types a config; it is checked when a kernel is made of it.
 * @example export default defineConfig({ plugins: [email()], queues: { images: { concurrency: 8 } } })
 */
export function defineConfig<const Plugins extends readonly PluginEntry[]>(
  config: Config<Plugins>,
): Config<Plugins> {
  return config
}
