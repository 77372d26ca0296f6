import type { ConnectionSettings } from './index.js'

/** Where a connection leads, without user and password. */
export function saysOf(settings: ConnectionSettings): string {
  if ('url' in settings) {
    try {
      const url = new URL(settings.url)
      return `Redis at ${url.host || url.pathname}${url.host && url.pathname.length > 1 ? url.pathname : ''}`
    } catch {
      return 'Redis'
    }
  }
  const nodes =
    'sentinel' in settings
      ? settings.sentinel.nodes
      : 'cluster' in settings
        ? settings.cluster.nodes
        : []
  const names = nodes.map((node) => `${node.host}:${node.port}`).join(', ')
  return 'sentinel' in settings ? `Redis by sentinel (${names})` : `Redis Cluster (${names})`
}
