import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route of an app: `access` is left out where the method decides. */
export interface Route {
  readonly method: string
  readonly url: string
  readonly access?: string | undefined
}

/** Makes something that has an app in it, and tells its routes, whichever they are. */
export async function withRoutes<Made>(
  make: () => Promise<Made>,
): Promise<{ readonly made: Made; readonly routes: readonly Route[] }> {
  const routes: Route[] = []
  const note = ({ method, url, config }: RouteOptions) => {
    for (const one of [method].flat()) routes.push({ method: one, url, access: config?.access })
  }
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', note)
  }
  subscribe('fastify.initialization', watch)
  try {
    return { made: await make(), routes }
  } finally {
    unsubscribe('fastify.initialization', watch)
  }
}
