// What may be set by the URL's query. The mail library would take all of its options from there, such
// as to read files, or to log each word that it exchanges.
const openToUrl =
  /^(tls\.\w+|requireTLS|ignoreTLS|opportunisticTLS|name|localAddress|authMethod|maxMessages|rateDelta|rateLimit|(connection|greeting|socket|dns)Timeout)$/

/**
 * Parses an SMTP URL and takes out of its query what may not be set by it; undefined if it is not
 * `smtp://` or `smtps://` with a host.
 */
export function parseSmtpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') return undefined
  for (const name of [...url.searchParams.keys()]) {
    if (!openToUrl.test(name)) url.searchParams.delete(name)
  }
  return url
}
