import { styleText } from 'node:util'
import type { State } from '../core/state.js'

type Style = Parameters<typeof styleText>[0]

/** A column of a table: its head, how a row's cell reads, and whether it may be cut to fit. */
export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => string | number | undefined
  readonly align?: 'right'
  /** Cut with `…` where the terminal is too narrow. */
  readonly flexible?: boolean
  readonly style?: (row: Row) => Style | undefined
}

const gap = 2
const narrowest = 8

const isTerminal = (): boolean => process.stdout.isTTY === true

const isColourful = (): boolean =>
  isTerminal() && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'

/** Text in a style, on a terminal that takes colours; plain elsewhere. */
export const paint = (style: Style, text: string): string =>
  isColourful() ? styleText(style, text, { validateStream: false }) : text

/** Text of others without what could steer a terminal. */
export const harmless = (text: string): string =>
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

/** Takes from the widest flexible columns until the whole fits; `whole` is without the gaps. */
function shrink(widths: readonly number[], flexible: readonly boolean[], whole: number): number[] {
  const fitted = [...widths]
  const sum = () => fitted.reduce((total, width) => total + width, 0)
  while (sum() > whole) {
    const widest = fitted.reduce(
      (best, width, index) => (flexible[index] && width > (fitted[best] ?? 0) ? index : best),
      flexible.indexOf(true),
    )
    const width = fitted[widest]
    if (width === undefined || width <= narrowest) break
    fitted[widest] = Math.max(narrowest, width - Math.max(1, Math.ceil((sum() - whole) / 4)))
  }
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
  const cells = rows.map((row) => columns.map(({ cell }) => oneLine(String(cell(row) ?? '-'))))
  const widths = columns.map(({ head }, index) =>
    Math.max(head.length, ...cells.map((line) => line[index]?.length ?? 0)),
  )
  const room = isTerminal() ? (process.stdout.columns || 80) - gap * columns.length : Infinity
  const fitted = shrink(
    widths,
    columns.map(({ flexible }) => flexible === true),
    room,
  )
  const drawn = new Table({
    head: columns.map(({ head }) => paint('bold', head)),
    colWidths: fitted.map((width) => width + gap),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
  })
  for (const [index, line] of cells.entries()) {
    const row = rows[index] as Row
    drawn.push(
      line.map((text, at) => {
        const style = columns[at]?.style?.(row)
        return style === undefined ? text : paint(style, text)
      }),
    )
  }
  return drawn.toString().replace(/[ ]+$/gm, '')
}

/** Name and value, one pair a line; pairs without a value are left out. */
export function pairs(
  entries: readonly (readonly [string, string | number | undefined])[],
): string {
  const known = entries.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...known.map(([name]) => name.length)) + gap
  return known
    .map(([name, value]) => `${paint('bold', name.padEnd(width))}${harmless(String(value))}`)
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

/** A remark on stderr: not a result. */
export const remark = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

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
