import { base, stateOf, time } from './lua/base.js'
import * as queries from './lua/queries.js'
import { recall, remembered, touch } from './lua/recall.js'
import { defineScript } from './script.js'
import { sets } from './script-keys.js'

export const findScript = defineScript({
  name: 'find',
  keys: [...sets, 'tasks', 'attempts', 'results', 'progress'],
  args: [],
  body: [base, stateOf, queries.describe, queries.find],
  reads: true,
})

/** Of any keys that it is given. */
export const typesScript = defineScript({
  name: 'types',
  keys: ['meta'],
  args: [],
  body: [base, queries.types],
  reads: true,
})

export const rawScript = defineScript({
  name: 'raw',
  keys: ['tasks'],
  args: ['most'],
  body: [base, queries.raw],
  reads: true,
})

export const rememberedScript = defineScript({
  name: 'remembered',
  keys: [...sets, 'tasks', 'own'],
  args: [],
  body: [base, stateOf, recall, remembered],
  reads: true,
})

/** The same, with a write to wait for. */
export const confirmScript = defineScript({
  name: 'confirm',
  keys: [...rememberedScript.keys, 'meta'],
  args: [],
  body: [base, stateOf, recall, touch, remembered],
})

export const listScript = defineScript({
  name: 'list',
  keys: [...sets, 'tasks', 'attempts', 'results', 'progress'],
  args: ['set', 'letter', 'backward', 'after', 'limit'],
  body: [base, queries.list],
  reads: true,
})

export const countsScript = defineScript({
  name: 'counts',
  keys: [...sets, 'tasks', 'workers', 'meta', 'stats', 'own'],
  args: ['now'],
  body: [base, time, queries.counts],
  reads: true,
})

export const lettersScript = defineScript({
  name: 'letters',
  keys: ['dead', 'deadLetters'],
  args: [],
  body: [base, queries.letters],
  reads: true,
})

export const deadSpanScript = defineScript({
  name: 'deadSpan',
  keys: ['dead'],
  args: ['letter', 'first', 'last'],
  body: [base, queries.deadSpan],
  reads: true,
})
