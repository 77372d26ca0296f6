import { expect, test } from 'vitest'
import { project, run } from './bin.js'

test('a text time is shown as ISO, on the wall of its zone, and from now', async () => {
  const { code, stdout } = await run(['when', 'tomorrow 8am', '--tz', 'Europe/Rome'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^time +\d{4}-\d\d-\d\dT0[67]:00:00\.000Z$/m)
  expect(stdout).toMatch(/^Europe\/Rome +\w{3}, .*08:00:00 CES?T$/m)
  expect(stdout).toMatch(/^distance +in (\d+h|1d)/m)
})

test('--json prints the same as one document', async () => {
  const args = ['when', 'in 2 hours', '--tz', 'America/New_York', '--json']
  const { stdout } = await run(args)
  const read = JSON.parse(stdout)
  expect(read).toMatchObject({ tz: 'America/New_York', kind: 'text', distance: 'in 2h' })
  expect(Date.parse(read.runAt)).toBeGreaterThan(Date.now())
})

test('a past ISO time is said to run now', async () => {
  const { code, stdout } = await run(['when', '2020-01-01T00:00:00Z', '--tz', 'UTC'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/ago, so it runs now/)
})

test.each([
  [['when', 'tomorow 8am', '--tz', 'UTC'], /\[bad_time\].*did you mean 'tomorrow 8am'/],
  [['when', 'tomorrow', '--tz', 'UTC'], /\[bad_time\]/],
  [['when', '5m', '--tz', 'Mars/Olympus'], /\[bad_option\].*time zone/],
])('%j is refused with the reason', async (args, words) => {
  const { code, stdout, stderr } = await run(args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(words)
})

test("the config's zone is taken where none is named, and UTC outside any project", async () => {
  const inside = await project({ '.redisdistrorc.json': '{ "time": { "tz": "Asia/Tokyo" } }' })
  const { stdout } = await run(['when', 'tomorrow 8am', '--json'], { cwd: inside })
  expect(JSON.parse(stdout)).toMatchObject({ tz: 'Asia/Tokyo' })
  const { stdout: outside, stderr } = await run(['when', '5m', '--json'], {
    cwd: await project({}),
  })
  expect(JSON.parse(outside)).toMatchObject({ tz: 'UTC' })
  expect(stderr).toMatch(/The zone is UTC/)
})

test('a time that a change of clocks skips or doubles has a note, and any other none', async () => {
  const { stdout } = await run(['when', '2030-03-31T02:30', '--tz', 'Europe/Rome'])
  expect(stdout).toMatch(/^note +02:30 does not exist in Europe\/Rome that day: moved to 03:30$/m)
  const noteOf = async (text: string) => {
    const { stdout } = await run(['when', text, '--tz', 'America/New_York', '--json'])
    return JSON.parse(stdout).note
  }
  const twice = '01:30 comes twice in America/New_York that day: the first is meant'
  expect(await noteOf('nov 3 2030 at 1:30am')).toBe(twice)
  expect(await noteOf('nov 3 2030 at 2:30am')).toBeUndefined()
})
