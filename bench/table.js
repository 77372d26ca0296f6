/** @typedef {import('./measures/measure.js').Measure} Measure */
/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./results.js').Summary} Summary */

const labelWidth = 28
const columnWidth = 22

/** @param {number} value */
export function shown(value) {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return `${Number(value.toPrecision(3))}`
}

/** @param {Summary | undefined} summary @param {boolean} single one round has no spread */
function ratioOf(summary, single) {
  if (summary?.ratio === undefined) return ''
  const { median, least, most } = summary.ratio
  return single ? shown(median) : `${shown(median)} (${shown(least)}–${shown(most)})`
}

/** @param {string} label @param {readonly string[]} cells */
const line = (label, cells) =>
  `${label.padEnd(labelWidth)}${cells.map((cell) => cell.padStart(columnWidth)).join('')}`.trimEnd()

/**
 * One measure: for each figure the medians, and below them the ratios to the baseline.
 * @param {Measure} measure
 * @param {Results} results
 * @param {number} rounds
 */
export function measureTable(measure, results, rounds) {
  const summaries = results.summaries(measure)
  const rows = measure.figures.flatMap(({ key, label }) => {
    const of = (/** @type {string} */ contender) =>
      summaries.find((each) => each.figure === key && each.contender === contender)
    const values = measure.contenders.map((contender) => {
      const summary = of(contender)
      return summary ? shown(summary.value.median) : 'failed'
    })
    const ratios = measure.contenders.map((contender) =>
      contender === measure.baseline ? '' : ratioOf(of(contender), rounds === 1),
    )
    return [
      line(`  ${label}`, values),
      ...(ratios.some((ratio) => ratio !== '') ? [line('    ratio', ratios)] : []),
    ]
  })
  const head = line(measure.name, measure.contenders)
  return [measure.says, head, ...rows].join('\n')
}
