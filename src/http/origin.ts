/** The headers that tell whom a browser thinks it speaks to, and from where. */
export interface CallerHeaders {
  readonly host?: string | undefined
  readonly origin?: string | undefined
}

const loopback =
  /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::1|::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4})$/

const bare = (name: string): string => name.toLowerCase().replace(/^\[|\]$|\.$/g, '')

/** A URL that is a host alone; undefined where it is none, or hides one behind a user's name. */
function hostUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const alone = url.username === '' && url.pathname === '/' && url.search === '' && url.hash === ''
  return alone ? url : undefined
}

/**
 * The header that is foreign, undefined where none is: a Host that names neither loopback nor the
 * host that the server listens on, or an Origin that is not the very scheme, host and port that the
 * request itself names. Without tokens this keeps out other sites' pages, those of another port of
 * this machine too, and names that were pointed here.
 */
export function foreignHeader(
  { host, origin }: CallerHeaders,
  own: { readonly host: string; readonly protocol: string },
): 'Host' | 'Origin' | undefined {
  const here = host === undefined ? undefined : hostUrl(`${own.protocol}://${host}`)
  const name = here && bare(here.hostname)
  if (host !== undefined && !(name === bare(own.host) || (name && loopback.test(name)))) {
    return 'Host'
  }
  if (origin === undefined) return undefined
  return here !== undefined && hostUrl(origin)?.origin === here.origin ? undefined : 'Origin'
}
