import { expect } from 'vitest'
import { until } from '../../support/until.js'

/** The routes of an operator by the API of a real producer; those that read each within some tries. */
export async function operate(url: string): Promise<void> {
  const paths = ['ready', 'queues', 'queues/default', 'workers', 'stats', 'metrics', 'dead-letters']
  for (const path of paths) {
    await until(async () => (await fetch(`${url}/${path}`)).status === 200, {
      timeout: 30_000,
      describe: path,
    })
  }
  for (const move of ['pause', 'resume']) {
    const { status } = await fetch(`${url}/queues/default/${move}`, { method: 'POST' })
    expect([move, status]).toEqual([move, 200])
  }
}
