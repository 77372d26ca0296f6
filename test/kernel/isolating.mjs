// A parent of its own, from the built program, that runs an endless task alone. Argument: the path of
// the config.
import { isolation } from '../../dist/src/kernel/isolation.js'

const isolate = isolation(process.argv[2])
const about = { type: 'job', queue: 'default', attempt: 1, maxAttempts: 3, fence: 1 }
await isolate?.(
  {
    id: 'task',
    fence: '1',
    leasedAt: 1,
    priority: 'normal',
    body: { type: 'job', payload: 'loop', enqueuedAt: 1, overrides: {}, tags: [] },
    deadLetter: 'dead',
    flags: { own: false, expires: false, unique: 'none' },
    failures: 0,
    losses: 2,
    deaths: 0,
    mismatchSince: 0,
  },
  {
    signal: new AbortController().signal,
    progress: async () => undefined,
    task: { ...about, id: 'task', enqueuedAt: new Date(1) },
  },
  () => undefined,
)
