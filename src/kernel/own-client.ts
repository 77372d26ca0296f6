import type { PluginClient } from '../core/enqueuer.js'
import { lazily } from '../core/lazily.js'
import type { Log } from '../telemetry/log.js'
import type { Kernel } from './kernel.js'
import type { ResolvedConfig } from './resolved-config.js'

/** A client for plugins in a process without a kernel of its own. */
export interface OwnClient {
  readonly client: PluginClient
  /** Waits for what is on its way, and disconnects. */
  close(): Promise<void>
}

/** What the client needs is loaded and connected when it is first used: most tasks never do. */
export function ownClient(config: ResolvedConfig, log: Log): OwnClient {
  let kernel: Promise<Kernel> | undefined
  const open = () => {
    kernel ??= import('./kernel.js').then(({ Kernel }) => new Kernel(config, log))
    return kernel
  }
  return {
    client: lazily<PluginClient>(async () => (await open()).client),
    close: async () => (await kernel)?.stop(),
  }
}
