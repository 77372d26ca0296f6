import { drainMeasures } from './drain.js'
import { enqueueMeasures } from './enqueue.js'

/**
 * All measures, in the order they are run.
 * @type {readonly import('./measure.js').Measure[]}
 */
export const measures = [...enqueueMeasures, ...drainMeasures]
