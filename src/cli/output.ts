import { styleText } from 'node:util'
import { redact } from '../core/secrets.js'
import type { State } from '../core/state.js'

type Style = Parameters<typeof styleText>[0]

/** A column of a table: its head, how a row's cell reads, and whether it may be cut to fit. */
export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => string | number | undefined
  readonly align?: 'right'
  /** Cut with `…` where the terminal is too narrow. */
  readonly flexible?: boolean
  /** Left out where even cutting does not make it fit; the highest number first. */
  readonly spare?: number
  readonly style?: (row: Row) => Style | undefined
}

const gap = 2
const narrowest = 8
/** Of any column, where the terminal is too narrow for more. */
const narrowestOfAll = 4

const isTerminal = (): boolean => process.stdout.isTTY === true

const isColourful = (): boolean =>
  isTerminal() && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'

/** Text in a style, on a terminal that takes colours; plain elsewhere. */
export const paint = (style: Style, text: string): string =>
  isColourful() ? styleText(style, text, { validateStream: false }) : text

/** Text of others without what could steer a terminal. */
const harmless = (text: string): string =>
  text.replace(/\p{Cc}/gu, (sign) => (/[\n\t]/.test(sign) ? sign : '\uFFFD'))

/** The same, on one line. */
const oneLine = (text: string): string => harmless(text.replace(/\s+/g, ' '))

const stateStyles: Partial<Record<State, Style>> = {
  active: 'cyan',
  retryable: 'yellow',
  completed: 'green',
  dead: 'red',
  cancelled: 'gray',
}

export const stateStyle = (state: State): Style | undefined => stateStyles[state]

const wideSigns =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu

/** Columns of a terminal that a text takes: East Asian signs and emoji take two. */
const widthOf = (text: string): number => [...text].length + (text.match(wideSigns)?.length ?? 0)

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)

/** The columns of a table with the widths of their widest cells. */
interface Measured<Row> {
  readonly column: Column<Row>
  readonly width: number
}

/** Leaves spare columns out until the rest can be cut to fit. */
function without<Row>(columns: readonly Measured<Row>[], room: number): Measured<Row>[] {
  const kept = [...columns]
  const least = () =>
    sumOf(kept.map(({ column, width }) => (column.flexible ? Math.min(width, narrowest) : width)))
  while (least() + gap * (kept.length - 1) > room) {
    const [first] = kept
      .filter(({ column }) => column.spare !== undefined)
      .sort((a, b) => (b.column.spare ?? 0) - (a.column.spare ?? 0))
    if (first === undefined) break
    kept.splice(kept.indexOf(first), 1)
  }
  return kept
}

/** Takes from the widest flexible column until the whole fits; where that does not do, from any. */
function fitInto<Row>(columns: readonly Measured<Row>[], room: number): Measured<Row>[] {
  const fitted = without(columns, room)
  let over = sumOf(fitted.map(({ width }) => width)) + gap * (fitted.length - 1) - room
  const narrow = (least: number, mayCut: (column: Column<Row>) => boolean) => {
    while (over > 0) {
      const [widest] = fitted
        .filter(({ column, width }) => mayCut(column) && width > least)
        .sort((a, b) => b.width - a.width)
      if (widest === undefined) break
      const less = Math.min(Math.ceil(over / 4), widest.width - least)
      fitted[fitted.indexOf(widest)] = { ...widest, width: widest.width - less }
      over -= less
    }
  }
  narrow(narrowest, ({ flexible }) => flexible === true)
  narrow(narrowestOfAll, () => true)
  return fitted
}

const borderless = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
)

/** Rows as a table that fits the terminal; where stdout is none, nothing is cut. */
export async function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const textOf = ({ cell }: Column<Row>, row: Row) => oneLine(String(cell(row) ?? '-'))
  const measured = columns.map((column) => {
    const lengths = rows.map((row) => widthOf(textOf(column, row)))
    return { column, width: lengths.reduce((a, b) => Math.max(a, b), column.head.length) }
  })
  const fitted = fitInto(measured, isTerminal() ? process.stdout.columns || 80 : Infinity)
  const drawn = new Table({
    head: fitted.map(({ column }) => paint('bold', column.head)),
    colWidths: fitted.map(({ width }) => width + gap),
    colAligns: fitted.map(({ column }) => column.align ?? 'left'),
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
  })
  for (const row of rows) {
    drawn.push(
      fitted.map(({ column }) => {
        const style = column.style?.(row)
        const text = textOf(column, row)
        return style === undefined ? text : paint(style, text)
      }),
    )
  }
  return drawn.toString().replace(/[ ]+$/gm, '')
}

/**
 * Text in lines that fit the terminal, the first behind `first` and the others behind as much room;
 * as it is where stdout is none.
 */
export function wrap(text: string, first: string): string {
  const room = isTerminal() ? process.stdout.columns || 80 : Infinity
  const [head = '', ...words] = harmless(text).split(' ')
  const lines = [`${first}${head}`]
  for (const word of words) {
    const line = lines.at(-1) ?? ''
    if (widthOf(line) + 1 + widthOf(word) <= room) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(`${' '.repeat(first.length)}${word}`)
  }
  return lines.join('\n')
}

/** Name and value, one pair a line; pairs without a value are left out. */
export function pairs(
  entries: readonly (readonly [string, string | number | undefined])[],
): string {
  const known = entries.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...known.map(([name]) => name.length)) + gap
  return known
    .map(([name, value]) => {
      const text = String(value)
      // What has lines of its own, as JSON, is to be copied whole.
      const fitted = text.includes('\n')
        ? harmless(text)
        : wrap(text, ' '.repeat(width)).slice(width)
      return `${paint('bold', name.padEnd(width))}${fitted}`
    })
    .join('\n')
}

/** The command's result on stdout: one JSON document, or the words for people. */
export async function printResult(
  result: unknown,
  options: { readonly json: boolean; readonly words: () => string | Promise<string> },
): Promise<void> {
  const text = options.json ? JSON.stringify(result, null, 2) : await options.words()
  process.stdout.write(`${text}\n`)
}

/** A remark on stderr, without known secrets: not a result. */
export const remark = (text: string): void => {
  process.stderr.write(`${redact(text)}\n`)
}

/** JSON whose texts hold no known secret; numbers are left alone, so that it stays JSON. */
export const jsonOf = (value: unknown, spaces?: number): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'string' ? redact(inner) : inner), spaces)

/** How far long work is, on one line of stderr that is written over; nothing without a terminal. */
export function progressLine(words: (done: number) => string) {
  const shown = process.stderr.isTTY === true
  let begun = false
  return {
    show(done: number): void {
      if (!shown) return
      begun = true
      process.stderr.write(`\r${words(done)} …`)
    },
    end(): void {
      if (begun) process.stderr.write('\r\u001b[K')
    },
  }
}
