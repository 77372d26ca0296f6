/** What stands where a secret stood. */
export const redacted = '[redacted]'

/** Shorter ones would be found in half of all words. */
const shortest = 4
/** From this length on a value is found within other words too. */
const distinctive = 8

// By a name of the whole program, so that two copies of the package know of the same secrets.
const shelf = Symbol.for('redisdistro.secrets')
const home = globalThis as { [shelf]?: Set<string> }

/** The secrets' values in every form in which they may be written. */
const known = (): Set<string> => {
  home[shelf] ??= new Set()
  return home[shelf]
}

const secretName =
  /(password|passwd|passphrase|secret|token|authorization|credential|cookie|(api|private|access|secret|signing|encryption)[-_]?key|(^|[._-])pass)s?(_?\d+)?$/i

/** True for the name of a key or a variable whose value is nobody's to read. */
export const isSecretName = (name: string): boolean => secretName.test(name)

/**
 * True for a value that its name makes a secret. A number under the name of several, such as `tokens`,
 * counts them, and that there is one is no secret.
 */
export function isSecret(name: string, value: unknown): boolean {
  if (!isSecretName(name) || value === null) return false
  if (typeof value === 'number' || typeof value === 'bigint') return !/[^s]s$/i.test(name)
  return typeof value === 'string' || typeof value === 'object'
}

/** As `isSecretName`, of what a URL's query names, which is short. */
export const isSecretParameter = (name: string): boolean =>
  isSecretName(name) || /pass|key$/i.test(name)

/** The same text as others write it: decoded, encoded, within JSON, in base64. */
function* formsOf(value: string): Generator<string> {
  yield value
  yield value.trim()
  yield JSON.stringify(value).slice(1, -1)
  yield Buffer.from(value).toString('base64')
  try {
    yield decodeURIComponent(value)
  } catch {
    // It has a percent sign of its own.
  }
  try {
    yield encodeURIComponent(value)
  } catch {
    // Half of a character has no encoding.
  }
}

/** Makes the value of a secret known: no text that passes `redact` shows it from then on. */
export function learnSecret(value: string): void {
  for (const form of formsOf(value)) if (form.length >= shortest) known().add(form)
  if (!value.includes('-----BEGIN ')) return
  const lines = value
    .split(/\s*\n\s*/)
    .filter((line) => line.length > 16 && !line.startsWith('---'))
  for (const line of lines) known().add(line)
}

// What is before the last @ of a text that is no URL by the rules may be a password all the same.
const loosely = /^(?:[a-z][a-z0-9+.-]{0,20}:\/\/)?(\S+)@/i

/** A user without a password may be a token, and is a mere name where it is short. */
const shortestUser = 16

/** What lies below these keys of a config is named by people: a task called reset-password is no secret. */
const namedByPeople = new Set(['tasks', 'queues', 'schedules'])

/** Learns what a URL keeps to itself: its password, and what its query calls a secret. */
function learnUrl(text: string): void {
  const [, credentials = ''] = loosely.exec(text) ?? []
  const colon = credentials.indexOf(':')
  if (colon >= 0) {
    learnSecret(credentials.slice(colon + 1))
    learnSecret(Buffer.from(`\0${credentials.replace(':', '\0')}`).toString('base64'))
  } else if (credentials.length >= shortestUser) learnSecret(credentials)
  if (!URL.canParse(text)) return
  const { password, searchParams } = new URL(text)
  learnSecret(password)
  for (const [name, value] of searchParams) {
    if (isSecretParameter(name)) learnSecret(value)
  }
}

const isPrivateKey = (text: string): boolean => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)

function learnText(text: string, isSecret: boolean): void {
  if (text.includes('://')) learnUrl(text)
  else if (isSecret) for (const part of text.split(',')) learnSecret(part)
  if (isSecret || isPrivateKey(text)) learnSecret(text)
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * Learns every secret of a tree such as options: what lies below a key that is named like one, the
 * passwords of URLs, and private keys. Goes into arrays and plain objects.
 */
export function learnSecretsOf(tree: unknown): void {
  learnBelow(tree, { isSecret: false, seen: new Set(), keys: 'plain' })
}

/** As `learnSecretsOf`, of a whole config, where people name tasks and queues as they like. */
export function learnSecretsOfConfig(config: unknown): void {
  learnBelow(config, { isSecret: false, seen: new Set(), keys: 'config' })
}

interface Place {
  readonly isSecret: boolean
  readonly seen: Set<object>
  /** What the keys of the tree are: those of a config, names that people chose, or of any kind. */
  readonly keys: 'config' | 'names' | 'plain'
}

function learnBelow(tree: unknown, { isSecret, seen, keys }: Place): void {
  if (typeof tree === 'string') learnText(tree, isSecret)
  if (typeof tree !== 'object' || tree === null || seen.has(tree)) return
  if (!Array.isArray(tree) && !isPlainObject(tree)) return
  seen.add(tree)
  for (const [name, value] of Object.entries(tree)) {
    const isKey = name === 'key' && ('cert' in tree || 'ca' in tree)
    const isNamed = keys !== 'names' && isSecretName(name)
    const below = keys === 'config' && namedByPeople.has(name) ? 'names' : 'plain'
    learnBelow(value, { isSecret: isSecret || isKey || isNamed, seen, keys: below })
  }
}

/** Words that a variable may hold under the name of a secret, and that are none. */
const isPlain = (value: string): boolean =>
  /^(true|false|yes|no|on|off|none|null|undefined|default|\d{1,5})$/i.test(value)
/** A path to what holds them, as GOOGLE_APPLICATION_CREDENTIALS has. */
const isPathTo = (name: string, value: string): boolean =>
  /credentials$/i.test(name) && /^[./~]/.test(value)
const ours = /^(API|ENQUEUE|READ)_TOKEN$/

/** Learns the values of headers as OTEL's variables have them: `name=value,name=Bearer%20value`. */
function learnHeaders(text: string): void {
  for (const header of text.split(',')) {
    const value = header.slice(header.indexOf('=') + 1)
    learnSecret(value)
    learnSecret(value.replace(/^(Bearer|Basic)(\s|%20)+/i, ''))
  }
}

/** Learns the secrets of variables, by their names and as passwords of URLs. */
export function learnVariables(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!value) continue
    const isSecret = isSecretName(name) && !isPlain(value) && !isPathTo(name, value)
    learnText(value, ours.test(name) || isSecret)
    if (/^(REDIS|SMTP)_UR[IL]$/.test(name)) learnUrl(value)
    if (/^OTEL_.*_HEADERS$/.test(name)) learnHeaders(value)
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

/** A plain word of that many letters may be a weak password, and part of many others. */
const plainWord = /^[a-z]{1,11}$/i

/**
 * A short one, or a plain word, counts only where it stands alone, or a weak password would black out
 * the whole log.
 */
const sourceOf = (value: string): string =>
  plainWord.test(value) || (value.length < distinctive && /^\w+$/.test(value))
    ? `\\b${escaped(value)}\\b`
    : escaped(value)

let pattern: RegExp | undefined
let compiled = 0

/** Longest first, since one may be part of another. */
function patternOf(): RegExp | undefined {
  const values = known()
  if (compiled === values.size) return pattern
  const sorted = [...values].sort((a, b) => b.length - a.length)
  pattern = new RegExp(sorted.map(sourceOf).join('|'), 'g')
  compiled = values.size
  return pattern
}

const ofUrl = /:\/\/([^\s/?#:@'"]{0,256}):[^\s/?#'"]{1,1024}@/g

/** The text without the values of known secrets, and without the password of any URL. */
export function redact(text: string): string {
  const found = patternOf()
  const clean = found === undefined ? text : text.replace(found, redacted)
  return clean.includes('://') ? clean.replace(ofUrl, `://$1:${redacted}@`) : clean
}
