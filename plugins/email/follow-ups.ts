import { createHash } from 'node:crypto'
import { isRedisDistroError, type PluginClient } from 'redisdistro'
import type { DeliveryContext, Refused } from './delivery.js'
import type { EmailPayload } from './payload.js'

/** The id of the task that one recipient's mail goes on as: the same however often it is made. */
const followUpId = (taskId: string, address: string): string =>
  `email-${createHash('sha256').update(`${taskId}\n${address}`).digest('hex').slice(0, 32)}`

const named = (refused: readonly Refused[]): string =>
  refused.map(({ address, words }) => `${address} (${words})`).join(', ')

/** The same mail to one of its recipients. */
function alone(payload: EmailPayload, address: string): EmailPayload {
  const { cc, bcc, ...rest } = payload
  return { ...rest, to: [address] }
}

/** Enqueues with the newest client that is not closed: one plugin value may serve several kernels. */
async function enqueue(
  clients: readonly PluginClient[],
  ...call: Parameters<PluginClient['enqueue']>
): Promise<string> {
  const [client, ...older] = clients
  if (client === undefined) throw new Error('there is nothing here to enqueue with')
  try {
    return (await client.enqueue(...call)).id
  } catch (error) {
    const closed = isRedisDistroError(error) && error.code === 'closed'
    if (!closed || older.length === 0) throw error
    return await enqueue(older, ...call)
  }
}

export interface FollowUp {
  readonly payload: EmailPayload
  readonly refused: readonly Refused[]
  readonly context: Pick<DeliveryContext, 'task' | 'signal'>
}

/**
 * Enqueues a task of its own for each refused recipient, so that each is retried or buried by
 * itself, and those who have the mail get no second one. Gives the tasks' ids, in the same order.
 * @throws Error that names the refused, where one of them cannot be enqueued
 */
export async function followUp(
  clients: readonly PluginClient[],
  { payload, refused, context }: FollowUp,
): Promise<string[]> {
  const { task, signal } = context
  // What was called off or lost its lease makes no new tasks.
  signal.throwIfAborted()
  try {
    return await Promise.all(
      refused.map(({ address }) => {
        const options = { taskId: followUpId(task.id, address), queue: task.queue }
        return enqueue(clients, task.type, alone(payload, address), options)
      }),
    )
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `the mail server took the mail for some recipients and refused ${named(refused)}; ` +
        `a task for those could not be enqueued: ${words}`,
      { cause },
    )
  }
}
