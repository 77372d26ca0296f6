import { nearestWithin } from '../spelling.js'

const WEEKDAY_NAMES = [
  ['monday', 'mon'],
  ['tuesday', 'tue', 'tues'],
  ['wednesday', 'wed'],
  ['thursday', 'thu', 'thur', 'thurs'],
  ['friday', 'fri'],
  ['saturday', 'sat'],
  ['sunday', 'sun'],
]

/** Day of the week by name or abbreviation, Monday 1 to Sunday 7 (as ISO and Temporal count). */
export const WEEKDAYS: ReadonlyMap<string, number> = new Map(
  WEEKDAY_NAMES.flatMap((names, index) => names.map((name) => [name, index + 1] as const)),
)

/** Names of the months from january on, then their abbreviations. */
export const MONTHS: ReadonlySet<string> = new Set(
  (
    'january february march april may june july august september october november december ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec'
  ).split(' '),
)

/** Days of a month in words, 'second' aside, which is a unit first. */
export const ORDINALS: ReadonlySet<string> = new Set(
  (
    'first third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth ' +
    'fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth'
  ).split(' '),
)

/** Small numbers in words. */
export const NUMBERS: ReadonlyMap<string, number> = new Map(
  'one two three four five six seven eight nine ten eleven twelve'
    .split(' ')
    .map((word, index) => [word, index + 1] as const),
)

/** A unit of time, named as Temporal names it in a duration. */
export type Unit =
  | 'years'
  | 'months'
  | 'weeks'
  | 'days'
  | 'hours'
  | 'minutes'
  | 'seconds'
  | 'milliseconds'

/** Units by every way to write them. */
export const UNITS: ReadonlyMap<string, Unit> = new Map(
  (
    [
      ['years', 'y yr yrs year years'],
      ['months', 'mo month months'],
      ['weeks', 'w wk wks week weeks'],
      ['days', 'd day days'],
      ['hours', 'h hr hrs hour hours'],
      ['minutes', 'm min mins minute minutes'],
      ['seconds', 's sec secs second seconds'],
      ['milliseconds', 'ms millisecond milliseconds'],
    ] as const
  ).flatMap(([unit, words]) => words.split(' ').map((word) => [word, unit] as const)),
)

const GLUE = (
  'a an after afternoon am and at evening from half in midday midnight morning next night noon ' +
  "now o'clock of on pm st nd rd th the this today tomorrow tonight twenty thirty"
).split(' ')

const KNOWN: ReadonlySet<string> = new Set([
  ...WEEKDAYS.keys(),
  ...MONTHS,
  ...ORDINALS,
  ...NUMBERS.keys(),
  ...UNITS.keys(),
  ...GLUE,
])

/** What a misspelt word may have been meant as. */
const LONG_WORDS = [...KNOWN].filter((word) => word.length >= 3)

const REFUSED: ReadonlyMap<string, string> = new Map([
  ...each('ago yesterday last previous', (word) => `'${word}' names a past time`),
  ...each('to until till between through or', () => 'one time is wanted, not several'),
  ...each('every each daily weekly monthly hourly', () => 'one time is wanted, not a schedule'),
  ...each('asap immediately', () => 'leave runAt out to run now'),
  ...each(
    'eod eob cob lunch lunchtime breakfast dinner teatime dawn dusk sunrise sunset',
    (word) => `'${word}' is not the same time for everyone, write one such as 17:00`,
  ),
  ...each(
    'ish noonish amish pmish about around approximately roughly circa sometime soon later shortly',
    (word) => `'${word}' is not exact, write one time such as 17:00`,
  ),
  ...each('few couple several', (word) => `'${word}' is not exact, write the number`),
  ...each('by before', (word) => `'${word}' leaves the time open, write when to run`),
  ...each('past quarter', () => 'a time of the day is written in digits, such as 8:30'),
  ...each(
    'weekend weekends weekday weekdays',
    (word) => `'${word}' is not one day, write one such as saturday 9am`,
  ),
  ...each(
    'z utc gmt est edt cst cdt mst mdt pst pdt cet cest bst ist jst',
    () => 'the zone of a text is given beside it, as tz (an IANA name such as Europe/Rome)',
  ),
])

const DAY_WORDS = `today|tomorrow|tonight|morning|afternoon|evening|${[...WEEKDAYS.keys()].join('|')}`
const MONTH = [...MONTHS].join('|')
/** '17h30' alone may be a length of time; behind these words it is a time of the day. */
const HOUR_H = new RegExp(`(?<=\\b(?:at|${DAY_WORDS}),? )(\\d{1,2})h(\\d{2})(?![\\da-z])`, 'g')
const STEP = `(?:\\d|\\b(?:an?|${[...NUMBERS.keys()].join('|')})) ?(?:${[...UNITS.keys()].join('|')})`

/** A comma behind a day, a date, a time or a step of an amount; any other stays, and is refused. */
const COMMA = new RegExp(
  `(?<=\\b(?:${DAY_WORDS}|noon|(?:${MONTH}) \\d{1,2}(?:st|nd|rd|th)?|\\d{4})|` +
    `\\d(?:[ap]m|:\\d\\d|(?:st|nd|rd|th)? (?:of )?(?:${MONTH}))|${STEP}),(?= (?![ap]\\.?m))`,
  'g',
)

/** Lower case, one space between words, '5.30 p.m.' as '5:30pm', 'dec. 24, 6pm' as 'dec 24 6pm'. */
export function normalise(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/’/g, "'")
    .replace(/\s+/g, ' ')
    .replace(/\b(\d{1,2})\.(\d{2})(?= ?[ap]\.?m)/g, '$1:$2')
    .replace(HOUR_H, '$1:$2')
    .replace(/\b(?:a|one) fortnight\b/g, '2 weeks')
    .replace(/(?<=\d) ?([ap])(?:m|\.m\.?)(?=$|,? )/g, '$1m')
    .replace(/(?<=\b(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun))\.(?= )/g, '')
    .replace(/(?<=\b(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec))\.(?= )/g, '')
    .replace(COMMA, '')
}

const WORD = /\p{L}+(?:'\p{L}+)?/gu

/**
 * What stands in the way of reading a normalised text word by word, in words, or undefined. It is
 * asked before anything is read: chrono skips what it does not know ('tomorow 8am' was today).
 */
export function objection(text: string): string | undefined {
  const strange = /[^\p{L}\d :.,'+-]/u.exec(text)?.[0]
  if (strange === '/') return 'a date with slashes is ambiguous, write 2026-12-24 or dec 24 2026'
  if (strange !== undefined) return `the character ${JSON.stringify(strange)} is not understood`
  const unclear = unclearTime(text)
  if (unclear !== undefined) return unclear
  for (const [word] of text.matchAll(WORD)) {
    if (KNOWN.has(word)) continue
    const refusal = REFUSED.get(word)
    if (refusal !== undefined) return refusal
    return `'${word}' is not known`
  }
  return undefined
}

/** What is said of a time that is written as no clock shows it, or may be a length of time. */
function unclearTime(text: string): string | undefined {
  const [dotted, hour, minute] = /(?<![\d.])(\d{1,2})\.(\d{2})$/.exec(text) ?? []
  if (dotted !== undefined) return `'${dotted}' is not a time of the day, write ${hour}:${minute}`
  const [short, h, m] = /(?<!\d)(\d{1,2})h(\d{2})$/.exec(text) ?? []
  if (short === undefined) return undefined
  return `'${short}' may be a time or a length of time, write ${h}:${m} or ${h}h${m}m`
}

/** The text with each word that is not known as the known one nearest to it; undefined without. */
export function corrected(text: string): { text: string; word: string } | undefined {
  let word: string | undefined
  const whole = text.replace(WORD, (written) => {
    if (KNOWN.has(written) || REFUSED.has(written)) return written
    const near = nearest(written)
    word ??= near
    return near ?? written
  })
  return word === undefined ? undefined : { text: whole, word }
}

function each(words: string, reason: (word: string) => string): [string, string][] {
  return words.split(' ').map((word) => [word, reason(word)])
}

function nearest(word: string): string | undefined {
  const reach = word.length < 4 ? 0 : word.length < 6 ? 1 : 2
  return nearestWithin(reach, word, LONG_WORDS)
}
