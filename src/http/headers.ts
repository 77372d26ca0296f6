import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet, { type HelmetOptions } from 'helmet'

const noFrames = { 'frame-ancestors': ["'none'"] }

/** An API is no page: nothing of an answer may be run, framed or read by another site. */
const settings: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], ...noFrames },
  },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
  // What speaks of documents and old browsers alone.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
}

type Headers = Readonly<Record<string, string>>

/** The headers that helmet gives to every answer; they are the same ones, so it is asked once. */
function fixedHeaders(options: HelmetOptions): Headers {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  helmet(options)(response.req, response, () => undefined)
  const given = Object.entries(response.getHeaders())
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
}

/** A page of ours runs its own scripts and asks its own server, and nothing else. */
const pageSettings: HelmetOptions = {
  ...settings,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      ...noFrames,
    },
  },
}

const plain: Headers = { 'cache-control': 'no-store', ...fixedHeaders(settings) }

const hsts = { maxAge: 365 * 24 * 60 * 60, includeSubDomains: false }
const overTls: Headers = {
  ...plain,
  ...fixedHeaders({ ...settings, strictTransportSecurity: hsts }),
}

/** Headers of a page that differ from those of every other answer. */
export const pageHeaders: Headers = fixedHeaders(pageSettings)

/** The headers of every answer, errors too; `protocol` is the one that the client speaks. */
export const safetyHeaders = (protocol: string): Headers => (protocol === 'https' ? overTls : plain)

/** The same as lines of an answer that is written by hand. */
export const safetyLines: string = Object.entries(plain)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')
