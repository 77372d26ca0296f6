import type { CycleCall } from '../core/broker.js'
import { completionRecord, leavesNothing, settlementArguments } from './record.js'

/** What the workers of a cycle say, as its script takes it. */
interface Settled {
  readonly plain: (string | number)[]
  readonly special: (string | number)[]
  readonly plainCount: number
  readonly specialCount: number
  readonly ran: number
  readonly waited: number
}

/** Completions under one fence. */
interface Group {
  readonly fence: string
  readonly ids: string[]
  readonly records: string[]
}

function groupOf(groups: Map<string, Group>, fence: string): Group {
  const group = groups.get(fence) ?? { fence, ids: [], records: [] }
  groups.set(fence, group)
  return group
}

/** Completions that leave nothing behind by their fences, and all else one by one. */
export function arrangeSettled(call: CycleCall): Settled {
  const groups = new Map<string, Group>()
  let group: Group | undefined
  const special: (string | number)[] = []
  const keeps = call.retention.count > 0
  let ran = 0
  let waited = 0
  for (const settlement of call.settled) {
    const { task, startedAt, endedAt, outcome } = settlement
    if (outcome.name === 'complete') {
      ran += endedAt - startedAt
      waited += Math.max(0, startedAt - (task.body.runAt ?? task.body.enqueuedAt))
    }
    if (leavesNothing(settlement)) {
      if (group?.fence !== task.fence) group = groupOf(groups, task.fence)
      group.ids.push(task.id)
      if (keeps) group.records.push(completionRecord(settlement))
    } else {
      special.push(...settlementArguments(settlement))
    }
  }
  const plain: (string | number)[] = []
  for (const { fence, ids, records } of groups.values()) {
    plain.push(fence, ids.length, ...ids, ...records)
  }
  return {
    plain,
    special,
    plainCount: groups.size,
    specialCount: special.length / 8,
    ran: Math.round(Math.max(0, ran)),
    waited: Math.round(waited),
  }
}
