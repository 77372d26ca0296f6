import type { Issue } from '../core/errors.js'

/** Characters of a number or a path that are shown at most. */
const shown = 80

/**
 * A number that may not be kept as it is written: sixteen digits or more, an exponent of three, or a
 * zero below zero. Looked for behind what may precede a value, so that most texts have none.
 */
const riskyNumber = /[[:,\s](?:-0(?!\.\d*[1-9])|-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3}))/
/** A text that is a number and nothing else. */
const bareNumber = /^\s*[-\d]/

const colon = 58
const quote = 34
const isSpace = (code: number) => code === 32 || (code >= 9 && code <= 13)

/** How often a quote is followed by a colon: at least once for each member that a text has. */
function membersWritten(text: string): number {
  let count = 0
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) {
    let before = at - 1
    while (isSpace(text.charCodeAt(before))) before--
    if (text.charCodeAt(before) === quote) count++
  }
  return count
}

const isContainer = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null

/** How many members the objects of a value have, in all. */
function membersKept(value: unknown): number {
  let count = 0
  const open = isContainer(value) ? [value] : []
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (Array.isArray(one)) {
      for (const member of one) if (isContainer(member)) open.push(member)
      continue
    }
    for (const key in one) {
      count++
      const member = one[key]
      if (isContainer(member)) open.push(member)
    }
  }
  return count
}

/** A decimal as its digits without zeros around them, and the power of ten of the last one. */
interface Decimal {
  readonly digits: string
  readonly power: number
}

function decimalOf(source: string): Decimal {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().replace('-', '').split('e')
  const sign = source.toLowerCase().includes('e-') ? -1 : 1
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  // By hand: a pattern that is anchored at the end would begin anew at every zero.
  let [start, end] = [0, all.length]
  while (all[start] === '0') start++
  while (end > start && all[end - 1] === '0') end--
  const digits = all.slice(start, end)
  const power = sign * Number(exponent.replace(/^[+-]/, '')) - fraction.length + all.length - end
  return { digits, power: digits === '' ? 0 : power }
}

/** The smallest number that has all of its digits. */
const smallestNormal = 2 ** -1022

/**
 * What a number's text says and its value does not, in words; undefined where it is kept. Whole
 * numbers must be kept to the last digit. A fraction is told by 17 digits, so that with no more of
 * them the value is the one that was meant.
 */
function lossOfNumber(source: string): string | undefined {
  const value = Number(source)
  const text = source.length > shown ? `${source.slice(0, shown)}…` : source
  if (!Number.isFinite(value)) return `${text} is beyond what a number can hold; send it as text`
  if (Object.is(value, -0) && decimalOf(source).digits === '') return `${text} would become 0`
  const [given, kept] = [decimalOf(source), decimalOf(String(value))]
  if (given.digits === kept.digits && given.power === kept.power) return undefined
  const told = given.power < 0 && given.digits.length <= 17 && Math.abs(value) >= smallestNormal
  return told ? undefined : `${text} would become ${value}; send it as text`
}

/** An object or an array that the scan is in. */
interface Level {
  /** Keys seen; undefined for an array. */
  readonly keys: Set<string> | undefined
  /** Where in it the scan is. */
  at: string | number
}

function pathOf(levels: readonly Level[]): string {
  const path = levels
    .slice(0, shown)
    .map(({ at }) => at)
    .join('.')
  return path.length > shown ? `${path.slice(0, shown)}…` : path
}

/** The index behind the quote that ends the text that begins at `start`, which is a quote too. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  for (;;) {
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end + 1
    end = text.indexOf('"', end + 1)
  }
}

const numberHere = /-?\d[\d.eE+-]*/y

/** A walk over the text of sound JSON, for what its value does not keep. */
class Scan {
  readonly #text: string
  readonly #levels: Level[] = []
  /** The first loss of each member of the whole. */
  readonly #losses = new Map<string | number, Issue>()

  constructor(text: string) {
    this.#text = text
  }

  run(): Issue[] {
    const text = this.#text
    for (let at = 0; at < text.length; ) {
      const char = text[at] as string
      if (char === '"') {
        const end = endOfText(text, at)
        this.#meetText(at, end)
        at = end
        continue
      }
      if (char === '-' || (char >= '0' && char <= '9')) {
        numberHere.lastIndex = at
        const [source = char] = numberHere.exec(text) ?? []
        const message = lossOfNumber(source)
        if (message !== undefined) this.#lose(message)
        at += source.length
        continue
      }
      this.#meetMark(char)
      at++
    }
    return [...this.#losses.values()]
  }

  #lose(message: string): void {
    const member = this.#levels[0]?.at ?? ''
    if (this.#losses.has(member)) return
    this.#losses.set(member, { path: pathOf(this.#levels), message })
  }

  #meetMark(char: string): void {
    const level = this.#levels.at(-1)
    if (char === '{') this.#levels.push({ keys: new Set(), at: '' })
    else if (char === '[') this.#levels.push({ keys: undefined, at: 0 })
    else if (char === '}' || char === ']') this.#levels.pop()
    else if (char === ',' && typeof level?.at === 'number') level.at++
  }

  /** A text that is followed by a colon is a key. */
  #meetText(start: number, end: number): void {
    const text = this.#text
    let next = end
    while (isSpace(text.charCodeAt(next))) next++
    const level = this.#levels.at(-1)
    if (text.charCodeAt(next) !== colon || level?.keys === undefined) return
    const key: string = JSON.parse(text.slice(start, end))
    level.at = key
    if (level.keys.has(key)) this.#lose('is given twice')
    level.keys.add(key)
  }
}

/**
 * What a JSON text says and the value read from it does not keep: digits of a number past what a
 * double holds, or a key that is given twice; the first in each member of the whole. Only a text
 * that may have some is looked through. `text` must be sound JSON, and `value` what it was read as.
 */
export function jsonLosses(text: string, value: unknown): Issue[] {
  const suspect =
    riskyNumber.test(text) || bareNumber.test(text) || membersWritten(text) !== membersKept(value)
  return suspect ? new Scan(text).run() : []
}
