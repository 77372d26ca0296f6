import type { IncomingMessage } from 'node:http'

/** How often a header was sent, by its lower-case name: node joins some and drops others. */
export function timesSent({ rawHeaders }: IncomingMessage, name: string): number {
  let times = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) times++
  }
  return times
}
