import * as baseLua from './lua/base.js'
import { bury, countBuried } from './lua/bury.js'
import { complete, countCompleted } from './lua/complete.js'
import { answerCycle, glance, leaseWanted, leaveMark, openCycle } from './lua/cycle.js'
import { enqueue, enqueueChecked, tellChecked, tellEnqueued } from './lua/enqueue.js'
import { expire } from './lua/expire.js'
import { lease, leaveOdd, setOddAside } from './lua/lease.js'
import { cutWanted, spendTokens } from './lua/limits.js'
import { promote } from './lua/promote.js'
import { recall, touch } from './lua/recall.js'
import { release } from './lua/release.js'
import { retry } from './lua/retry.js'
import { settle, settlePlain } from './lua/settle.js'
import { publishTold, tell } from './lua/tell.js'
import { defineScript } from './script.js'
import { endKeys, sets, toldKeys } from './script-keys.js'

const { attemptsOf, base, dated, header, holderOf, inLine } = baseLua
const { leaseHeld, leaveBehind, stateOf, time, wakeUp } = baseLua

/** New tasks, ready now, under ids never used before: the common case, in few commands. */
export const enqueueScript = defineScript({
  name: 'enqueue',
  keys: ['tasks', 'waiting', 'stats', 'wake', 'meta', ...toldKeys],
  args: ['now', 'amount', 'records'],
  body: [base, time, inLine, wakeUp, enqueue, tell, tellEnqueued],
  refusedWhenFull: true,
})

/** New tasks of which some are due later, have an id or key of their own, expire, or are repeats. */
export const enqueueCheckedScript = defineScript({
  name: 'enqueueChecked',
  keys: [
    ...sets,
    'tasks',
    'stats',
    'wake',
    'meta',
    'own',
    'unique',
    'uniqueUntil',
    'expiring',
    ...toldKeys,
  ],
  args: ['now'],
  body: [
    base,
    time,
    dated,
    inLine,
    wakeUp,
    stateOf,
    holderOf,
    recall,
    enqueueChecked,
    tell,
    tellChecked,
  ],
  refusedWhenFull: true,
})

/** The same where what is written shall be waited for: a write even where all are repeats. */
export const enqueueConfirmedScript = defineScript({
  name: 'enqueueConfirmed',
  keys: enqueueCheckedScript.keys,
  args: enqueueCheckedScript.args,
  body: [
    base,
    time,
    dated,
    inLine,
    wakeUp,
    stateOf,
    holderOf,
    recall,
    touch,
    enqueueChecked,
    tell,
    tellChecked,
  ],
  refusedWhenFull: true,
})

const cycleArgs = [
  'now',
  'worker',
  'wanted',
  'promoting',
  'keepCount',
  'ran',
  'waited',
  'plain',
  'special',
] as const

/** The pump's one call: settle what finished, promote what is due, lease what is wanted. */
export const cycleScript = defineScript({
  name: 'cycle',
  keys: [...sets, ...endKeys, 'workers', 'stats', 'wake', 'meta', 'events'],
  args: cycleArgs,
  body: [
    base,
    time,
    leaseHeld,
    glance,
    tell,
    header,
    inLine,
    wakeUp,
    attemptsOf,
    leaveBehind,
    complete,
    settlePlain,
    retry,
    bury,
    release,
    settle,
    countCompleted,
    promote,
    expire,
    setOddAside,
    lease,
    openCycle,
    cutWanted,
    leaseWanted,
    spendTokens,
    leaveMark,
    countBuried,
    publishTold,
    answerCycle,
  ],
})

/**
 * The same where all that finished completed and left nothing behind, which is the common case: what
 * a script defines and does not use costs Redis more than its commands.
 */
export const shortCycleScript = defineScript({
  name: 'shortCycle',
  keys: [
    'waiting',
    'scheduled',
    'retryable',
    'active',
    'completed',
    'tasks',
    'attempts',
    'results',
    'expiring',
    'workers',
    'stats',
    'wake',
    'meta',
    'events',
  ],
  args: cycleArgs,
  body: [
    base,
    time,
    leaseHeld,
    glance,
    tell,
    inLine,
    complete,
    settlePlain,
    countCompleted,
    promote,
    leaveOdd,
    lease,
    openCycle,
    cutWanted,
    leaseWanted,
    spendTokens,
    leaveMark,
    publishTold,
    answerCycle,
  ],
})
