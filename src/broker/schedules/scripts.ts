import { base } from '../lua/base.js'
import { defineScript } from '../script.js'
import * as lua from './lua.js'

export const lookScript = defineScript({
  name: 'lookAtSchedules',
  keys: ['rules', 'due', 'state', 'pending', 'snapshots'],
  args: ['now', 'stale', 'most'],
  body: [base, lua.instant, lua.describeRule, lua.look],
})

export const findScript = defineScript({
  name: 'findSchedules',
  keys: ['rules', 'due', 'state'],
  args: [],
  body: [base, lua.describeRule, lua.find],
  reads: true,
})

export const claimScript = defineScript({
  name: 'claimTicks',
  keys: ['rules', 'due', 'state', 'pending', 'snapshots', 'history'],
  args: ['now', 'id', 'revision', 'expected', 'following', 'last', 'ticks'],
  body: [base, lua.instant, lua.noteRun, lua.unchanged, lua.claim],
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
  keys: ['rules', 'due', 'state'],
  args: ['id', 'revision', 'record', 'paused', 'following'],
  body: [base, lua.unchanged, lua.save],
  refusedWhenFull: true,
})

export const removeScript = defineScript({
  name: 'removeSchedule',
  keys: ['rules', 'due', 'state', 'history'],
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
