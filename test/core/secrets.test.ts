import { describe, expect, test } from 'vitest'
import { FatalError, RedisDistroError } from '../../src/core/errors.js'
import { toTaskError } from '../../src/core/outcome.js'
import {
  isSecretName,
  learnSecret,
  learnSecretsOf,
  learnSecretsOfConfig,
  learnVariables,
  redact,
} from '../../src/core/secrets.js'

let count = 0
/** A word that no test before has made known. */
const fresh = (): string => `w${count++}-${Math.random().toString(36).slice(2, 12)}`

describe('the value of a secret', () => {
  test('is found in each form that it may be written in', () => {
    const secret = `a"b/c d@ü\\${fresh()}`
    const forms = [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret),
      Buffer.from(secret).toString('base64'),
    ]
    expect(redact(secret)).toBe(secret)
    learnSecret(secret)
    for (const form of forms) {
      const clean = redact(`before ${form} after`)
      expect(clean).toMatch(/^before "?\[redacted\]"? after$/)
    }
  })

  test('is found within words where it is distinctive, and alone where it is short', () => {
    learnSecret('qzxy7')
    expect(redact('qzxy7 is qzxy7.')).toBe('[redacted] is [redacted].')
    expect(redact('aqzxy7b')).toBe('aqzxy7b')
    const long = fresh()
    learnSecret(long)
    expect(redact(`a${long}b`)).toBe('a[redacted]b')
  })

  test('that is a plain word blacks out that word alone', () => {
    learnSecret('hunterword')
    expect(redact('reset-hunterwords hunterword')).toBe('reset-hunterwords [redacted]')
  })

  test('of under four characters is taken for none', () => {
    learnSecret('the')
    learnSecret('')
    expect(redact('the end')).toBe('the end')
  })

  test('that is part of a longer one leaves nothing of that', () => {
    const short = fresh()
    learnSecret(short)
    learnSecret(`${short}-and-more`)
    expect(redact(`${short}-and-more`)).toBe('[redacted]')
  })

  test('is a whole key of many lines, and each of its lines', () => {
    const lines = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj']
    const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
    learnSecretsOf({ tls: { cert: 'public', key: pem } })
    for (const line of lines) expect(redact(line)).toBe('[redacted]')
    expect(redact(JSON.stringify({ pem }))).not.toContain(lines[0])
  })
})

describe('a URL', () => {
  test('never shows its password, known or not', () => {
    expect(redact('at redis://app:x1y2@host:1/2 now')).toBe(
      'at redis://app:[redacted]@host:1/2 now',
    )
    expect(redact('redis://:x1y2@host')).toBe('redis://:[redacted]@host')
    expect(redact('http://host:80/a@b')).toBe('http://host:80/a@b')
  })

  test.each(['p@ss/w:rd', 'p%40ss', 'ends@', '#hash?'])('teaches the password %s', (odd) => {
    const password = odd + fresh()
    learnSecretsOf({ url: `redis://app:${password}@host:6379` })
    expect(redact(`it was ${password}`)).toBe('it was [redacted]')
  })

  test('teaches the decoded password, and that of its query', () => {
    const password = `p@ss/${fresh()}`
    const query = fresh()
    learnSecretsOf([`smtp://app:${encodeURIComponent(password)}@host?auth.pass=${query}`])
    expect(redact(`${password} ${query}`)).toBe('[redacted] [redacted]')
  })

  test('with a plain user has no secret', () => {
    learnSecretsOf({ url: 'redis://someuser@host' })
    expect(redact('someuser')).toBe('someuser')
  })
})

describe('what is learnt', () => {
  test('of a tree is what lies below a name of a secret, however deep', () => {
    const [a, b, c, d] = [fresh(), fresh(), fresh(), fresh()]
    learnSecretsOf({
      http: { tokens: { api: [a], read: `${b},${c}` } },
      redis: { sentinel: { name: d, sentinelPassword: a } },
    })
    expect(redact([a, b, c, d].join(' '))).toBe(`[redacted] [redacted] [redacted] ${d}`)
  })

  test('of a tree is nothing that people named like a secret', () => {
    const [queue, backoff, token] = [fresh(), fresh(), fresh()]
    learnSecretsOfConfig({
      tasks: { 'reset-password': { queue, retry: { backoff } }, 'rotate-api-key': { token } },
      queues: { passwords: { deadLetter: queue } },
    })
    expect(redact(`${queue} ${backoff} ${token}`)).toBe(`${queue} ${backoff} [redacted]`)
  })

  test('of what is no config, or deep in one, goes by all names', () => {
    const [option, deep, top] = [fresh(), fresh(), fresh()]
    const options = (password: string) => ({ queues: { password }, tasks: [{ token: password }] })
    learnSecretsOf(options(option))
    learnSecretsOfConfig({ plugins: [options(deep)], tasks: { queues: { token: top } } })
    expect(redact(`${option} ${deep} ${top}`)).toBe('[redacted] [redacted] [redacted]')
  })

  test('of a tree that holds itself ends', () => {
    const loop: Record<string, unknown> = { password: fresh() }
    loop['self'] = loop
    learnSecretsOf(loop)
    expect(redact(String(loop['password']))).toBe('[redacted]')
  })

  test('of variables goes by their names, and leaves plain words alone', () => {
    const [key, plain, list] = [fresh(), fresh(), fresh()]
    learnVariables({ STRIPE_API_KEY: key, HOSTING: plain, API_TOKEN: `${list},other-${list}` })
    learnVariables({ USE_TOKEN: 'true', MAX_TOKENS: '4096' })
    expect(redact(`${key} ${plain} ${list}`)).toBe(`[redacted] ${plain} [redacted]`)
    expect(redact('true 4096')).toBe('true 4096')
  })

  test('of the headers of telemetry is what they hold', () => {
    const [key, bearer] = [fresh(), fresh()]
    learnVariables({
      OTEL_EXPORTER_OTLP_HEADERS: `api-key=${key},authorization=Bearer%20${bearer}`,
    })
    expect(redact(`${key} ${bearer} api-key`)).toBe('[redacted] [redacted] api-key')
  })

  test('of variables is no address, no path and no image', () => {
    const [name, tag] = [fresh(), fresh()]
    learnVariables({
      SUPPORT_URI: `mailto:${name}@example.com`,
      IMAGE_URL: `registry/app:${tag}@sha256:abc`,
      GOOGLE_APPLICATION_CREDENTIALS: `/app/${name}`,
    })
    expect(redact(`${name} ${tag} /app/${name}`)).toBe(`${name} ${tag} /app/${name}`)
  })

  test('is named in many ways', () => {
    const secret = ['password', 'sentinelPassword', 'API_TOKEN', 'apiKey', 'client_secret', 'pass']
    const plain = ['idempotencyKey', 'uniqueKey', 'key', 'bypass', 'tokenizer', 'author', 'cursor']
    expect(secret.filter(isSecretName)).toEqual(secret)
    expect(plain.filter(isSecretName)).toEqual([])
  })
})

test("the product's own codes are told, whatever is a secret", () => {
  for (const code of ['failed', 'fatal', 'timeout']) learnSecret(code)
  expect(toTaskError(new Error('x'))).toMatchObject({ code: 'failed' })
  expect(toTaskError(new FatalError('x'))).toMatchObject({ code: 'fatal' })
  expect(toTaskError(new RedisDistroError('timeout', 'x'))).toMatchObject({ code: 'timeout' })
})

test('an error that is kept of a task holds no secret, not even a half at its end', () => {
  const secret = `${fresh()}-${'s'.repeat(40)}`
  learnSecret(secret)
  const at = (length: number) => 'x'.repeat(length) + secret
  for (const length of [0, 2000, 2010, 2040, 4080, 4090]) {
    const error = Object.assign(new Error(at(length)), { name: secret, code: secret })
    expect(JSON.stringify(toTaskError(error))).not.toContain(secret.slice(0, 8))
    expect(JSON.stringify(toTaskError(at(length)))).not.toContain(secret.slice(0, 8))
    expect(JSON.stringify(toTaskError({ is: at(length) }))).not.toContain(secret.slice(0, 8))
  }
})
