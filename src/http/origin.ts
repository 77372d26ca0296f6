/** The headers that tell whom a browser thinks it speaks to, and from where. */
export interface CallerHeaders {
  readonly host?: string | undefined
  readonly origin?: string | undefined
}

const loopback =
  /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::1|::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4})$/

const bare = (name: string): string => name.toLowerCase().replace(/^\[|\]$|\.$/g, '')

/** The name or address in a URL; undefined where it is none, or hides one behind a user's name. */
function hostnameOf(url: string): string | undefined {
  try {
    const { hostname, username, pathname } = new URL(url)
    return username === '' && pathname === '/' ? bare(hostname) : undefined
  } catch {
    return undefined
  }
}

function isForeign(url: string, own: string): boolean {
  const name = hostnameOf(url)
  return name === undefined || !(name === bare(own) || loopback.test(name))
}

/**
 * The header that names neither loopback nor the host that the server listens on; undefined where
 * none does. Without tokens this keeps out other sites' pages, and names that were pointed here.
 */
export function foreignHeader(headers: CallerHeaders, own: string): 'Host' | 'Origin' | undefined {
  const { host, origin } = headers
  if (host !== undefined && isForeign(`http://${host}`, own)) return 'Host'
  if (origin !== undefined && isForeign(origin, own)) return 'Origin'
  return undefined
}
