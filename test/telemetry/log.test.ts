import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/telemetry/log.js'

const door = new URL('../../dist/src/telemetry/log.js', import.meta.url).href

/** What the built log writes to stderr in a process of its own. */
function said(script: string, options: { level: string; pretty: boolean }): string {
  const program = `
    import { createLog } from ${JSON.stringify(door)}
    const log = await createLog(${JSON.stringify(options)})
    ${script}
    process.kill(process.pid, 'SIGKILL')`
  const args = ['--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, NO_COLOR: '1' },
  })
  expect(stdout).toBe('')
  return stderr
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('lines are JSON on stderr with their fields, and are out before the process dies', () => {
  const script = `
    log.debug('not said')
    log.with({ queue: 'q' }).with({ taskId: 't' }).warn('A sentence', { n: 1 })
    log.error('Another', { err: new Error('broke') })`
  expect(lines(said(script, { level: 'info', pretty: false }))).toMatchObject([
    { level: 40, msg: 'A sentence', queue: 'q', taskId: 't', n: 1 },
    { level: 50, msg: 'Another', err: { type: 'Error', message: 'broke' } },
  ])
})

test.each([false, true])('secrets are cut out by their keys, pretty %s', (pretty) => {
  const script = `
    const secrets = { password: 's3cret', token: 's3cret', authorization: 's3cret', user: 'ada' }
    log.info('At the top', secrets)
    log.info('Below', { smtp: secrets })
    log.with(secrets).info('In a child')`
  const text = said(script, { level: 'info', pretty })
  expect(text).not.toContain('s3cret')
  expect(text.match(/\[redacted\]/g)).toHaveLength(9)
  expect(text.match(/ada/g)).toHaveLength(3)
})

test('a silent log says nothing, also with fields', () => {
  expect(silentLog.with({ a: 1 })).toBe(silentLog)
  expect(silentLog.error('nothing')).toBeUndefined()
})
