import { base } from '../lua/base.js'
import { defineScript } from '../script.js'
import * as listing from './listing-lua.js'
import * as lua from './lua.js'

export const lookScript = defineScript({
  name: 'lookAtSchedules',
  keys: ['rules', 'due', 'state', 'pending', 'snapshots'],
  args: ['now', 'stale', 'most', 'fromDue', 'fromStale'],
  body: [base, lua.instant, lua.describeRule, lua.look],
})

export const findScript = defineScript({
  name: 'findSchedule',
  keys: ['rules', 'due', 'state', 'pending'],
  args: ['id'],
  body: [base, lua.describeRule, lua.find],
  reads: true,
})

export const listScript = defineScript({
  name: 'listSchedules',
  keys: ['rules', 'names', 'due', 'state', 'pending'],
  args: ['after', 'limit'],
  body: [base, lua.describeRule, listing.list],
  reads: true,
})

export const addNamesScript = defineScript({
  name: 'addScheduleNames',
  keys: ['rules', 'names'],
  args: [],
  body: [base, listing.addNames],
})

export const dropNamesScript = defineScript({
  name: 'dropScheduleNames',
  keys: ['rules', 'names'],
  args: ['after'],
  body: [base, listing.dropNames],
})

/** It takes new memory, and is refused where there is none: what is due stays due. */
export const claimScript = defineScript({
  name: 'claimTicks',
  keys: ['rules', 'due', 'state', 'pending', 'snapshots', 'history'],
  args: ['now', 'id', 'revision', 'expected', 'following', 'last', 'ticks'],
  body: [base, lua.instant, lua.noteRun, lua.unchanged, lua.claim],
  refusedWhenFull: true,
})

export const settleScript = defineScript({
  name: 'settleTick',
  keys: ['rules', 'state', 'pending', 'snapshots', 'history'],
  args: ['now', 'id', 'taskId', 'line', 'queue'],
  body: [base, lua.instant, lua.noteRun, lua.settle],
})

export const noteScript = defineScript({
  name: 'noteRun',
  keys: ['rules', 'history'],
  args: ['now', 'id', 'line'],
  body: [base, lua.instant, lua.noteRun, lua.noteOne],
})

/** It takes new memory, and is refused where there is none. */
export const saveScript = defineScript({
  name: 'saveSchedule',
  keys: ['rules', 'names', 'due', 'state', 'history'],
  args: ['id', 'revision', 'seen', 'record', 'paused', 'following', 'fresh'],
  body: [base, lua.unchanged, lua.save],
  refusedWhenFull: true,
})

export const removeScript = defineScript({
  name: 'removeSchedule',
  keys: ['rules', 'names', 'due', 'state', 'history'],
  args: ['id', 'revision'],
  body: [base, lua.unchanged, lua.remove],
})

export const historyScript = defineScript({
  name: 'scheduleHistory',
  keys: ['history'],
  args: ['id'],
  body: [base, lua.readHistory],
  reads: true,
})
