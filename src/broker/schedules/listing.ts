import type { SchedulePage, SchedulePageCall } from '../../core/schedule-store.js'
import { type Engine, runOnKeys } from '../arguments.js'
import { readAt } from '../wrong-type.js'
import { scheduleKeys } from './keys.js'
import { fieldsOfSchedule, readSchedule } from './records.js'
import * as scripts from './scripts.js'

/** Schedules in one call at most: a longer look would hold up everyone. */
const mostInPage = 250

/**
 * Makes the names those of the rules again. A build that keeps no names may work beside this one, or
 * have worked before it.
 */
async function mendNames(engine: Engine): Promise<void> {
  const keys = scheduleKeys(engine.prefix)
  let cursor = '0'
  do {
    const page = await readAt(keys.rules, engine.store.scanHash(keys.rules, cursor))
    const ids = page.pairs.filter((_, i) => i % 2 === 0)
    for (let i = 0; i < ids.length; i += mostInPage) {
      const rest = ids.slice(i, i + mostInPage)
      await runOnKeys(engine, keys, { script: scripts.addNamesScript, named: {}, rest })
    }
    cursor = page.cursor
  } while (cursor !== '0')
  let after = ''
  do {
    const call = { script: scripts.dropNamesScript, named: { after } }
    after = (await runOnKeys(engine, keys, call)) as string
  } while (after !== '')
}

/** A page of schedules by id. */
export async function readPage(engine: Engine, call: SchedulePageCall): Promise<SchedulePage> {
  const named = { after: call.after ?? '', limit: Math.min(call.limit, mostInPage) }
  const read = async () => {
    const reading = { script: scripts.listScript, named }
    return (await runOnKeys(engine, scheduleKeys(engine.prefix), reading)) as string[]
  }
  let answer = await read()
  if (answer[1] === '1') {
    await mendNames(engine)
    answer = await read()
  }
  const count = (answer.length - 2) / fieldsOfSchedule
  const found = Array.from({ length: count }, (_, i) =>
    readSchedule(answer, 2 + i * fieldsOfSchedule),
  )
  const schedules = found.filter((each) => each !== undefined)
  return { schedules, next: answer[0] === '' ? undefined : answer[0] }
}
