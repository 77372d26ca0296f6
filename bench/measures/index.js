import { backlog } from './backlog.js'
import { cluster } from './cluster.js'
import { drainMeasures } from './drain.js'
import { enqueueMeasures } from './enqueue.js'
import { latency } from './latency.js'
import { memory } from './memory.js'
import { precision } from './precision.js'
import { fairness, processMeasures } from './processes.js'
import { rawMeasures } from './raw.js'
import { appendonly, tracing } from './settings.js'

/**
 * All measures, in the order they are run.
 * @type {readonly import('./measure.js').Measure[]}
 */
export const measures = [
  ...enqueueMeasures,
  ...drainMeasures,
  latency,
  memory,
  backlog,
  precision,
  ...processMeasures,
  fairness,
  appendonly,
  cluster,
  tracing,
  ...rawMeasures,
]
