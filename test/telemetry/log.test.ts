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

test('a field whose name the line has already gets another, and the line keeps its own', () => {
  const script = `
    const task = log.with({ taskId: 'mine', queue: 'q' })
    task.info('Said', { taskId: 'other', queue: 'q', level: 'x', time: 0, msg: 'y', n: 1 })
    task.with({ taskId: 'other' }).info('Said below')`
  const text = said(script, { level: 'info', pretty: false })
  expect(text.match(/"(taskId|queue|level|time|msg)":/g)).toHaveLength(10)
  expect(lines(text)).toMatchObject([
    { taskId: 'mine', taskId_: 'other', queue: 'q', level: 30, level_: 'x', msg: 'Said', n: 1 },
    { taskId: 'mine', taskId_: 'other', queue: 'q', msg: 'Said below' },
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

test('secrets are cut out at any depth, by key and by value, and the rest is left', () => {
  const secrets = new URL('../../dist/src/core/secrets.js', import.meta.url).href
  const script = `
    const { learnSecret } = await import(${JSON.stringify(secrets)})
    learnSecret('by"value-9')
    const loop = { a: { b: [{ apiKey: 'by-key', n: 1 }, 'has by"value-9 in it'] } }
    loop.loop = loop
    const failed = Object.assign(new Error('no by"value-9', { cause: new Error('by"value-9') }), {
      command: { name: 'auth', args: ['app', 'any-argument'] }, options: { password: 'by-key' } })
    log.info('Says by"value-9', { loop, url: new URL('redis://u:in-url@h'), tokens: 12, at: new Date(0) })
    log.with({ deep: { token: ['by-key'] } }).warn('Failed', { failed, err: failed, big: 10n ** 3n > 5n })
    log.error('Odd', { get bad() { throw new Error('x') }, toJSON: () => ({ is: 'by"value-9' }) })`
  const text = said(script, { level: 'info', pretty: false })
  expect(text).not.toMatch(/by\\?"value|by-key|in-url|any-argument/)
  const [first, second, third] = lines(text)
  expect(first).toMatchObject({
    msg: 'Says [redacted]',
    tokens: 12,
    at: '1970-01-01T00:00:00.000Z',
    loop: { a: { b: [{ apiKey: '[redacted]', n: 1 }, 'has [redacted] in it'] } },
  })
  const failed = { message: expect.stringContaining('no [redacted]'), command: 'auth' }
  expect(second).toMatchObject({ failed, err: failed, deep: { token: '[redacted]' }, big: true })
  expect(third).toMatchObject({ msg: 'Odd' })
})

test('a line is bounded, whatever is in it, and tells bytes by their number', () => {
  const secrets = new URL('../../dist/src/core/secrets.js', import.meta.url).href
  const script = `
    const { learnSecret } = await import(${JSON.stringify(secrets)})
    learnSecret('at-the-cut-9')
    const failed = Object.assign(new Error('no'), { buffer: Buffer.alloc(1_000_000) })
    log.info('Bytes', { buffer: Buffer.alloc(5_000_000), words: new Uint16Array(4), failed })
    log.info('m'.repeat(1_000_000), { text: 'x'.repeat(65_530) + 'at-the-cut-9' + 'y'.repeat(9) })
    log.info('Many', { list: Array.from({ length: 100_000 }, (_, n) => n), last: 1 })
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => ['k' + n, n]))
    log.info('Wide', { wide })
    log.info('Texts', { texts: Array.from({ length: 100 }, () => 'z'.repeat(60_000)) })
    log.info('Names', { ['n'.repeat(1_000_000)]: 1 })`
  const text = said(script, { level: 'info', pretty: false })
  for (const line of text.split('\n')) expect(line.length).toBeLessThan(300_000)
  const [bytes, long, many, wide, texts, names] = lines(text)
  expect(bytes).toMatchObject({
    buffer: '[Buffer of 5000000 bytes]',
    words: '[Uint16Array of 8 bytes]',
    failed: { message: 'no', buffer: '[Buffer of 1000000 bytes]' },
  })
  expect(long).toMatchObject({
    msg: `${'m'.repeat(65_536)}[more]`,
    text: `${'x'.repeat(65_530)}[redac[more]`,
  })
  expect((many as { list: unknown[] }).list.slice(-2)).toEqual([1997, '[more]'])
  expect(wide).toMatchObject({ wide: { k0: 0, '[more]': true } })
  expect((texts as { texts: unknown[] }).texts.at(-1)).toBe('[more]')
  expect(JSON.stringify(names)).toContain('nnn[more]')
})

test('a number under the name of a secret is one, and a count of them is none', () => {
  const script = `
    log.info('Said', { password: 12345678, pass: 87654321, token: 123456n, tokens: 12, max_tokens: 4096 })`
  expect(lines(said(script, { level: 'info', pretty: false }))).toMatchObject([
    {
      password: '[redacted]',
      pass: '[redacted]',
      token: '[redacted]',
      tokens: 12,
      max_tokens: 4096,
    },
  ])
})

test('a silent log says nothing, also with fields', () => {
  expect(silentLog.with({ a: 1 })).toBe(silentLog)
  expect(silentLog.error('nothing')).toBeUndefined()
})
