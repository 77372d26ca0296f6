/**
 * Makes this process answer what its parent asks by name, until the parent lets it go.
 * @param {Record<string, (argument: never) => unknown>} answers
 */
export function serve(answers) {
  process.on(
    'message',
    async (/** @type {{ id: number, call: string, argument: unknown }} */ ask) => {
      const { id, call, argument } = ask
      try {
        const result = await answers[call]?.(/** @type {never} */ (argument))
        process.send?.({ id, result })
      } catch (error) {
        process.send?.({ id, failure: error instanceof Error ? error.stack : String(error) })
      }
    },
  )
  process.on('disconnect', () => process.exit())
  process.send?.({ ready: true })
}

/** Seconds of CPU that this process has used, all its threads together. */
export function nodeCpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Seconds on a clock that all processes of this machine share. */
export const clock = () => Number(process.hrtime.bigint() / 1000n) / 1e6
