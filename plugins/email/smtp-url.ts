// What the mail library would take from the URL's query, and must not.
const closedToUrl = ['pool', 'url', 'disableFileAccess', 'disableUrlAccess', 'maxRequeues']

/**
 * Parses an SMTP URL and takes out what may not be set by it; undefined if it is not `smtp://` or
 * `smtps://` with a host.
 */
export function parseSmtpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') return undefined
  for (const name of closedToUrl) url.searchParams.delete(name)
  return url
}
