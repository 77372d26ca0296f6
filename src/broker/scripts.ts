import * as baseLua from './lua/base.js'
import { bury } from './lua/bury.js'
import { cancel } from './lua/cancel.js'
import { edit } from './lua/edit.js'
import { expire } from './lua/expire.js'
import { refund, setLimits } from './lua/limits.js'
import { eachId, stillMeant } from './lua/moves.js'
import { erase, prune, retain } from './lua/prune.js'
import { release } from './lua/release.js'
import { promoteEach, promoteNow, requeue, requeueEach } from './lua/requeue.js'
import { forgetWorker, markDead, rescue } from './lua/rescue.js'
import { hear, listenFor, tell } from './lua/tell.js'
import * as workersLua from './lua/workers.js'
import { defineScript } from './script.js'
import { endKeys, sets, toldKeys } from './script-keys.js'

const { base, time, header, inLine, wakeUp, stateOf, attemptsOf, leaveBehind, leaseHeld } = baseLua
const { dated, holderOf, undate } = baseLua

export const joinScript = defineScript({
  name: 'join',
  keys: ['workers', 'details', 'stats'],
  args: ['now', 'worker', 'lease', 'about'],
  body: [base, time, workersLua.join],
})

export const renewScript = defineScript({
  name: 'renew',
  keys: ['workers', 'orders', 'stats'],
  args: ['now', 'worker', 'lease_', 'heard'],
  body: [base, time, leaseHeld, workersLua.renew],
})

export const giveBackScript = defineScript({
  name: 'giveBack',
  keys: ['active', 'waiting', 'progress', 'workers', 'wake', 'meta', 'stats', 'tasks', ...toldKeys],
  args: ['now', 'worker'],
  body: [base, time, leaseHeld, hear, tell, wakeUp, release, refund, workersLua.giveBack],
})

export const progressScript = defineScript({
  name: 'progress',
  keys: ['active', 'progress', 'workers'],
  args: ['worker', 'id', 'fence', 'value'],
  body: [base, leaseHeld, workersLua.keepProgress],
})

export const forgetWorkerScript = defineScript({
  name: 'forgetWorker',
  keys: ['workers', 'details', 'orders', 'meta', 'stats'],
  args: ['now', 'worker'],
  body: [base, time, forgetWorker],
})

export const leaveScript = defineScript({
  name: 'leave',
  keys: ['workers', 'details', 'orders', 'meta', 'stats'],
  args: ['now', 'worker'],
  body: [base, time, leaseHeld, forgetWorker],
})

export const markDeadScript = defineScript({
  name: 'markDead',
  // Those of `renew` too: where a slot of a cluster moves, nobody is late who could not renew.
  keys: ['workers', 'orders', 'meta', 'stats'],
  args: ['now', 'lease'],
  body: [base, time, markDead],
})

export const rescueScript = defineScript({
  name: 'rescue',
  keys: [...sets, ...endKeys, 'workers', 'stats', 'wake', 'meta', ...toldKeys],
  args: ['now', 'maxLosses'],
  body: [base, time, hear, tell, header, wakeUp, attemptsOf, leaveBehind, bury, release, rescue],
})

export const cancelScript = defineScript({
  name: 'cancel',
  keys: [...sets, ...endKeys, 'orders', 'stats', 'wake', 'meta', ...toldKeys],
  args: ['now'],
  body: [base, time, hear, tell, header, wakeUp, stateOf, attemptsOf, leaveBehind, eachId, cancel],
})

export const requeueScript = defineScript({
  name: 'requeue',
  keys: [...sets, ...endKeys, 'stats', 'wake', 'meta', ...toldKeys],
  args: ['now', 'diedBy'],
  body: [
    base,
    time,
    hear,
    tell,
    header,
    dated,
    undate,
    inLine,
    wakeUp,
    stateOf,
    holderOf,
    attemptsOf,
    eachId,
    stillMeant,
    requeue,
    requeueEach,
  ],
})

export const promoteScript = defineScript({
  name: 'promote',
  keys: [...sets, 'tasks', 'stats', 'wake', 'meta', ...toldKeys],
  args: ['now'],
  body: [
    base,
    time,
    hear,
    tell,
    header,
    dated,
    undate,
    inLine,
    wakeUp,
    stateOf,
    eachId,
    promoteNow,
    promoteEach,
  ],
})

export const editScript = defineScript({
  name: 'edit',
  keys: requeueScript.keys,
  args: ['now', 'type_', 'payload', 'printBefore', 'printAfter', 'running'],
  body: [
    base,
    time,
    hear,
    tell,
    header,
    dated,
    undate,
    inLine,
    wakeUp,
    stateOf,
    holderOf,
    attemptsOf,
    eachId,
    requeue,
    promoteNow,
    edit,
  ],
})

export const eraseScript = defineScript({
  name: 'erase',
  keys: [...sets, ...endKeys, 'meta', ...toldKeys],
  args: ['now', 'diedBy'],
  body: [base, time, hear, tell, header, stateOf, eachId, stillMeant, prune, erase],
})

export const pruneScript = defineScript({
  name: 'prune',
  keys: [...sets, ...endKeys, 'stats', 'meta', ...toldKeys],
  args: ['now', 'skip'],
  body: [
    base,
    time,
    hear,
    tell,
    header,
    stateOf,
    attemptsOf,
    leaveBehind,
    bury,
    expire,
    eachId,
    prune,
    retain,
  ],
})

export const pauseScript = defineScript({
  name: 'pause',
  keys: ['meta', 'wake'],
  args: ['paused'],
  body: [base, wakeUp, workersLua.pause],
})

/** Limits by a person or by a config; what `said` means says the fragment. */
export const limitsScript = defineScript({
  name: 'limits',
  keys: ['meta', 'wake', 'stats'],
  args: ['now', 'said', 'rate', 'most'],
  body: [base, time, wakeUp, setLimits],
})

export const listenScript = defineScript({
  name: 'listen',
  keys: ['meta', 'listen', 'events'],
  args: ['now', 'ms', 'keep'],
  body: [base, time, listenFor],
})
