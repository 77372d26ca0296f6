// Preloaded into a process (`NODE_OPTIONS=--import …`), it puts the process's wall clock wrong by as
// many ms as stand in a file, and right again when the file says 0. What measures durations is left
// alone. Threads keep the right time where they are started without it: the lease thread reads none.
import { readFileSync } from 'node:fs'

const path = process.env['FAULTS_CLOCK'] ?? ''
const RightDate = globalThis.Date
const rightNow = RightDate.now
const rightOrigin = performance.timeOrigin
/** ms between two looks at the file. */
const lookEvery = 20
let ahead = 0
let looked = Number.NEGATIVE_INFINITY

function offset() {
  const now = performance.now()
  if (now - looked > lookEvery) {
    looked = now
    ahead = Number(readFileSync(path, 'utf8')) || 0
  }
  return ahead
}

const wrongNow = () => rightNow() + offset()

globalThis.Date = new Proxy(RightDate, {
  construct: (target, args, made) =>
    Reflect.construct(target, args.length === 0 ? [wrongNow()] : args, made),
  apply: (target) => new target(wrongNow()).toString(),
})
RightDate.now = wrongNow
RightDate.prototype.constructor = globalThis.Date
Object.defineProperty(performance, 'timeOrigin', { get: () => rightOrigin + offset() })
