import type { LimitState, Partition, SaidLimits } from '../core/broker.js'
import { burstOf, type LimitsChange, type QueueLimits } from '../core/limits.js'
import { formatRate, parseRate } from '../core/rate.js'
import { type Engine, runScript } from './arguments.js'
import { limitsScript } from './scripts.js'

/** 'amount ms burst' as scripts read it; '-' three times for none. */
function rateText(text: string | undefined | null): string {
  const rate = typeof text === 'string' ? parseRate(text) : undefined
  return rate ? `${rate.amount} ${rate.per} ${burstOf(rate)}` : '- - -'
}

/** What a script keeps as limits, 'amount ms burst most', for people. */
function readLimits(text: string): QueueLimits {
  const [, amount, per] = /^(\d+) (\d+) (\d+) /.exec(text) ?? []
  const [, most] = / (\d+)$/.exec(text) ?? []
  return {
    ...(amount === undefined
      ? {}
      : { rate: formatRate({ amount: Number(amount), per: Number(per) }) }),
    ...(most === undefined ? {} : { maxActive: Number(most) }),
  }
}

/** Of what `counts` reads; undefined where neither a person nor a config says anything. */
export function readLimitState(
  limit: string,
  said: string,
  bucket: string,
): LimitState | undefined {
  if (limit === '' && said === '') return undefined
  const held = readLimits(limit)
  const full = Number(bucket) / 1000
  const wanted = readLimits(said)
  return {
    ...held,
    ...(held.rate === undefined || !Number.isFinite(full) ? {} : { fullAt: full }),
    said: wanted,
    differs: wanted.rate !== held.rate || wanted.maxActive !== held.maxActive,
  }
}

/** A person changes what holds; the config's word is not touched. */
export async function changeLimits(
  engine: Engine,
  partition: Partition,
  { rate, maxActive }: LimitsChange,
): Promise<void> {
  const named = {
    said: '',
    rate: rate === undefined ? '=' : rate === null ? '-' : rateText(rate),
    most: maxActive === undefined ? '=' : (maxActive ?? '-'),
  }
  await runScript(engine, { script: limitsScript, partition, named })
}

/** What a config says; it holds where it says something else than the last time. */
export async function sayLimits(
  engine: Engine,
  partition: Partition,
  { rate, maxActive }: QueueLimits,
): Promise<SaidLimits> {
  const named = { said: `${rateText(rate)} ${maxActive ?? '-'}`, rate: '', most: '' }
  const answer = await runScript(engine, { script: limitsScript, partition, named })
  const [what, before = '', saidBefore = ''] = answer as string[]
  return {
    changed: what === 'set',
    before: readLimits(before),
    byPerson: before !== saidBefore,
  }
}
