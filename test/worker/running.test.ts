import { describe, expect, test } from 'vitest'
import type { Run } from '../../src/worker/run.js'
import { Running } from '../../src/worker/running.js'

const run = (id: string) => ({ leased: { id }, slot: 0 }) as unknown as Run

const idsOf = (running: Running) =>
  running
    .all()
    .map(({ leased }) => leased.id)
    .sort()

describe('the runs of a worker', () => {
  test('go in any order, and the others stay', () => {
    const running = new Running()
    const runs = ['a', 'b', 'c', 'd'].map(run)
    for (const each of runs) running.add(each)
    expect(running.size).toBe(4)
    const [a, b, c, d] = runs as [Run, Run, Run, Run]
    running.delete(b)
    expect(idsOf(running)).toEqual(['a', 'c', 'd'])
    running.delete(d)
    running.delete(a)
    expect(idsOf(running)).toEqual(['c'])
    running.delete(c)
    expect(running.size).toBe(0)
  })

  test('what is gone already takes no other with it', () => {
    const running = new Running()
    const [a, b] = [run('a'), run('b')]
    running.add(a)
    running.add(b)
    running.delete(a)
    running.delete(a)
    expect(idsOf(running)).toEqual(['b'])
  })
})
