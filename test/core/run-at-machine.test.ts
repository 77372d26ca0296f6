import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { resolveRunAt } from '../../src/core/run-at.js'
import { PHRASES } from './run-at/golden.js'
import { REFUSALS, REFUSED_AT } from './run-at/refusals.js'

const instants = PHRASES.map(([, , , at]) => Date.parse(at))

describe('the machine', () => {
  const own = process.env['TZ']
  afterEach(() => {
    if (own === undefined) delete process.env['TZ']
    else process.env['TZ'] = own
  })

  test.each(['UTC', 'America/Los_Angeles', 'Pacific/Apia', 'Australia/Lord_Howe', 'Asia/Tokyo'])(
    'has no say in a text by its zone: %s',
    (machine) => {
      process.env['TZ'] = machine
      expect(new Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(machine)
      const read = PHRASES.map(([runAt, tz, now]) =>
        resolveRunAt({ runAt, tz, now: Date.parse(now) }),
      )
      expect(read.map((result) => result?.ok && result.at)).toEqual(instants)
      for (const [text] of REFUSALS) {
        expect(resolveRunAt({ runAt: text, ...REFUSED_AT })?.ok).toBe(false)
      }
    },
  )

  test.each(['America/New_York', 'Asia/Tokyo', 'Pacific/Apia'])(
    'has no say in a process that began in %s, with german words',
    async (machine) => {
      const reader = new URL('../../dist/src/core/run-at.js', import.meta.url).href
      const phrases = PHRASES.map(([runAt, tz, now]) => ({ runAt, tz, now: Date.parse(now) }))
      const program = `
        import { resolveRunAt } from ${JSON.stringify(reader)}
        const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions()
        const read = ${JSON.stringify(phrases)}.map((phrase) => resolveRunAt(phrase).at)
        process.stdout.write(JSON.stringify({ timeZone, locale, read }))`
      const env = { TZ: machine, LC_ALL: 'de_DE.UTF-8' }
      const args = ['--input-type=module', '-e', program]
      const { stdout } = await promisify(execFile)(process.execPath, args, { env })
      expect(JSON.parse(stdout)).toEqual({ timeZone: machine, locale: 'de-DE', read: instants })
    },
  )
})
