import { describe, expect, test } from 'vitest'
import { renderStateMachine } from '../../scripts/state-machine.mjs'
import { states, transitions } from '../../src/core/state.js'
import { filesBelow, read } from './source.js'

const lua = 'src/broker/lua'
const names = Object.keys(transitions)

/** Where the fragment of each name is defined: `fragment('promote', …)`. */
const fragments = new Map(
  filesBelow(lua, /\.ts$/).flatMap((path) =>
    [...read(path).matchAll(/\bfragment\(\s*'(\w+)'/g)].map(([, name]) => [name ?? '', path]),
  ),
)

test('every transition has the Lua fragment of its name, in the file of its name', () => {
  const wanted = names.map((name) => [name, `${lua}/${name}.ts`])
  expect(names.map((name) => [name, fragments.get(name)])).toEqual(wanted)
})

test('what is released may lead wherever its fragment puts it', () => {
  const written = [...read(`${lua}/release.ts`).matchAll(/'ZADD', (\w+),/g)].map(([, set]) => set)
  expect([...transitions.release.to]).toEqual(written)
})

describe('the table', () => {
  const moves = Object.entries(transitions).map(([name, move]) => ({
    name,
    from: [...move.from] as string[],
    to: [...move.to] as string[],
    says: move.says as string,
  }))

  test('speaks of known states only', () => {
    const ends = new Set<string>([...states, 'new', 'gone'])
    expect(moves.flatMap(({ from, to }) => [...from, ...to]).filter((s) => !ends.has(s))).toEqual(
      [],
    )
  })

  test('lets every state be reached from new', () => {
    const reached = new Set(['new'])
    for (let before = 0; before !== reached.size; ) {
      before = reached.size
      for (const { from, to } of moves) {
        if (from.some((state) => reached.has(state))) for (const state of to) reached.add(state)
      }
    }
    expect(states.filter((state) => !reached.has(state))).toEqual([])
  })

  test('gives every state a way to an end', () => {
    const stuck = states.filter((state) => !moves.some(({ from }) => from.includes(state)))
    expect(stuck).toEqual([])
  })

  test('says a sentence for each move', () => {
    expect(moves.filter(({ says }) => !/^[A-Z].*\.$/.test(says)).map(({ name }) => name)).toEqual(
      [],
    )
  })
})

describe('docs/state-machine.md', () => {
  test('is what the table says', () => {
    expect(read('docs/state-machine.md')).toBe(renderStateMachine({ states, transitions }))
  })

  test('draws an arrow for each move and holds a paragraph for each state', () => {
    const page = read('docs/state-machine.md')
    const drawn = new Set([...page.matchAll(/^ {2}\S+ --> \S+: (\w+)$/gm)].map(([, name]) => name))
    expect([...drawn].sort()).toEqual([...names].sort())
    const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, state]) => state)
    expect(headings).toEqual([...states])
  })
})
