import { z } from 'zod'
import type { Job, PurgePreview, Replay } from '../../client/bulk-contract.js'
import type { DeadLetterFilter } from '../../client/contract.js'
import { count, recordOf, time } from './records.js'

export const replay = recordOf<Replay>({
  requeued: count,
  skipped: count.describe('Left, since another task holds their unique key.'),
})

const purged = z.strictObject({ purged: count })

const purgePreview = recordOf<PurgePreview>({
  wouldPurge: count,
  oldest: time.nullable(),
  newest: time.nullable(),
  sample: z.array(z.string()).describe('Ids of some of them, the newest, ten at most.'),
})

export const job = recordOf<Job>({
  id: z.string(),
  kind: z.literal('requeue'),
  state: z.enum(['running', 'done', 'stopped', 'failed']),
  key: z.string().describe('The dead-letter key.'),
  filter: recordOf<DeadLetterFilter>({
    type: z.string().optional(),
    queue: z.string().optional(),
    error: z.string().optional(),
    olderThan: count.optional(),
    newerThan: count.optional(),
  }).describe('Ages in it are ms.'),
  rate: z.string().optional(),
  total: count.optional().describe('Where it is known without reading them all.'),
  done: count,
  skipped: count.describe(
    'Left: no longer dead, dead anew, or another task holds their unique key.',
  ),
  startedAt: time,
  endedAt: time.optional(),
  stopping: z.boolean().optional().describe('Asked to stop, and it has not yet.'),
  held: z.boolean().describe('Whether a kernel does it now.'),
  error: z.string().optional().describe('What it failed of.'),
})

export const purgedOrPreview = z
  .union([purged, purgePreview])
  .describe('How many were erased; with `dryRun`, what would be.')
