/** How deep a payload may nest, and how many values it may hold. */
export interface PayloadLimits {
  readonly maxDepth: number
  readonly maxValues: number
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

/**
 * What is too much about a payload, in words; undefined where nothing is. Level by level and not
 * by recursion, which a hostile payload would exhaust.
 */
export function overLimit(
  payload: unknown,
  { maxDepth, maxValues }: PayloadLimits,
): string | undefined {
  let level: unknown[] = [payload]
  let values = 0
  for (let depth = 0; level.length > 0; depth++) {
    values += level.length
    if (values > maxValues) return `holds more than ${maxValues} values (http.payload.maxValues)`
    const containers = level.filter(isContainer)
    if (depth >= maxDepth && containers.length > 0) {
      return `nests deeper than ${maxDepth} levels (http.payload.maxDepth)`
    }
    level = containers.flatMap((container): unknown[] => Object.values(container))
  }
  return undefined
}
