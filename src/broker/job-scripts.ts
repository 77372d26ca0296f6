import { base, time } from './lua/base.js'
import { addJob, jobHead, keepJob, stopJob, takeJob } from './lua/jobs.js'
import { defineScript } from './script.js'

const keys = ['jobs', 'jobsHeld', 'stats'] as const

export const addJobScript = defineScript({
  name: 'addJob',
  keys,
  args: ['now', 'id', 'json'],
  body: [base, time, jobHead, addJob],
  refusedWhenFull: true,
})

export const takeJobScript = defineScript({
  name: 'takeJob',
  keys,
  args: ['now', 'holder', 'lease'],
  body: [base, time, jobHead, takeJob],
})

export const keepJobScript = defineScript({
  name: 'keepJob',
  keys,
  args: ['now', 'id', 'holder', 'lease', 'state', 'json'],
  body: [base, time, jobHead, keepJob],
})

export const stopJobScript = defineScript({
  name: 'stopJob',
  keys,
  args: ['now', 'id'],
  body: [base, time, jobHead, stopJob],
})
