import type { TypeEntry } from './contract.js'

type Options = Readonly<Record<string, unknown>>

/** Options that may lie beside a payload's own fields. */
export const beside = ['runAt', 'delay', 'tz'] as const

const isRecord = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Parts what a caller gave for a payload into payload and options: `runAt`, `delay` and `tz` beside
 * its fields are options, unless the schema itself declares a field of that name.
 */
export function partPayload(
  given: unknown,
  fields: TypeEntry['fields'],
): { readonly payload: unknown; readonly options: Options } {
  if (!isRecord(given)) return { payload: given, options: {} }
  const taken = beside.filter((name) => Object.hasOwn(given, name) && !fields.has(name))
  if (taken.length === 0) return { payload: given, options: {} }
  const payload = { ...given }
  const options: Record<string, unknown> = {}
  for (const name of taken) {
    options[name] = payload[name]
    delete payload[name]
  }
  return { payload, options }
}

/**
 * Options that were said apart win; when to run is one choice, so that a `delay` there also replaces
 * a `runAt`.
 */
export function overlaid(own: Options, apart: Options): Record<string, unknown> {
  const { runAt, delay, ...rest } = own
  const timed = apart['runAt'] !== undefined || apart['delay'] !== undefined
  return timed ? { ...rest, ...apart } : { ...own, ...apart }
}
