import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '../../src/core/definition.js'
import { fc } from '../support/fuzz.js'
import { anything, startRealApi } from './real-api.js'

const strict = defineTask({
  type: 'strict',
  payload: z.object({ n: z.number() }),
  handle: () => undefined,
})

let api: Awaited<ReturnType<typeof startRealApi>>

beforeAll(async () => {
  api = await startRealApi({ tasks: [anything, strict] })
})

afterAll(() => api.stop())

const json = { 'content-type': 'application/json' }

/** What is looked at of an answer, be it a task's id or a problem. */
interface Said {
  readonly taskId: string
  readonly taskIds: readonly string[]
  readonly detail: string
  readonly issues: readonly { readonly path: string }[]
}

type Headers = Readonly<Record<string, string>>

async function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Headers = json) {
  const reply = await fetch(api.url + path, { method: 'POST', headers, body })
  return { status: reply.status, answer: (await reply.json()) as Said }
}

/** The text of the payload that the API shows of a task. */
async function shown(id: string): Promise<string | undefined> {
  const text = await (await fetch(`${api.url}/tasks/${id}`)).text()
  return /"payload":(.*),"priority":/s.exec(text)?.[1]
}

const many = (count: number, member: (index: number) => string) =>
  `{${Array.from({ length: count }, (_, index) => member(index)).join(',')}}`

describe('a payload comes back as it was sent', () => {
  test.each([
    '"\\ud800"',
    '{"\\udc00":["\\ud83d"]}',
    '"\\u0000"',
    '{"a\\u0000b":"\\u0000\\u001f"}',
    '{"constructor":"x"}',
    '{"constructor":{"name":null}}',
    '{"toString":1,"valueOf":null,"hasOwnProperty":"no","then":{},"toJSON":[]}',
    '{"prototype":1,"__defineGetter__":2}',
    '9007199254740992',
    '[-9007199254740991,9007199254740991,100000000000000000000]',
    '[0.1,0.30000000000000004,5e-324,1.7976931348623157e+308]',
    '[null,true,false,"",{},[]]',
    '{"":{"":""}}',
    '"😀é\u2028\u2029\ufeff\uffff"',
    '"\\"__proto__\\":1 and \\"a\\": 12345678901234567890"',
    `{"${'k'.repeat(1000)}":1}`,
    many(9_999, (index) => `"k${index}":${index}`),
    `${'['.repeat(63)}1${']'.repeat(63)}`,
  ])('%.60s', async (text) => {
    const { status, answer } = await post('/enqueue/any', text)
    expect(answer).toMatchObject({ message: 'Task enqueued' })
    expect(status).toBe(202)
    expect(await shown(answer.taskId)).toBe(text)
  })

  test('whatever it is, all of a batch in their order', async () => {
    const written = fc.array(fc.json({ maxDepth: 3 }), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(written, async (texts) => {
        const sound = texts.filter((text) => !text.includes('"__proto__":'))
        if (sound.length === 0) return
        const { status, answer } = await post('/enqueue/any/batch', `[${sound.join(',')}]`)
        expect(status).toBe(202)
        for (const [index, id] of answer.taskIds.entries()) {
          expect(await shown(id)).toBe(JSON.stringify(JSON.parse(sound[index] ?? '')))
        }
      }),
      { numRuns: 8 },
    )
  })
})

describe('in a batch each element that would not come back is told of', () => {
  const strict = '/enqueue/strict/batch'
  test.each([
    [strict, '[{"n":-0},{"n":"x"},{"n":1},{"n":1,"n":2}]', 'application/json'],
    [strict, '{"n":-0}\n{"n":"x"}\n{"n":1}\n{"n":1,"n":2}', 'application/x-ndjson'],
  ])('%s: %s', async (path, body, type) => {
    const { status, answer } = await post(path, body, { 'content-type': type })
    expect(status).toBe(422)
    expect(answer.issues.map((issue) => issue.path)).toEqual(['0.n', '1.n', '3.n'])
  })

  test('by the same paths as all else, where types are mixed', async () => {
    const of = (payload: string) => `{"type":"strict","payload":${payload}}`
    const { answer } = await post('/enqueue', `[${['{"n":-0}', '{"n":"x"}'].map(of).join(',')}]`)
    expect(answer.issues.map((issue) => issue.path)).toEqual(['0.n', '1.n'])
  })

  test('one that nests deeper than any stack is refused by its index, under a key too', async () => {
    const deep = `[1,${'['.repeat(10_000)}${']'.repeat(10_000)}]`
    const { status, answer } = await post('/enqueue/any/batch', deep, {
      'content-type': 'application/json',
      'idempotency-key': 'deep',
    })
    expect(status).toBe(422)
    expect(answer.issues.map((issue) => issue.path)).toEqual(['1'])
  })

  test('and of one, once its type is known', async () => {
    expect((await post('/enqueue/nope', '{"n":-0}')).status).toBe(404)
    expect((await post('/enqueue/nope/batch', '[{"n":-0}]')).status).toBe(404)
  })
})

const bytes = (...codes: number[]) => Uint8Array.from([0x22, ...codes, 0x22])

describe('a payload that would not come back is refused, and says why', () => {
  test.each<[string | Uint8Array<ArrayBuffer>, number, RegExp]>([
    ['{"__proto__":{"polluted":1}}', 400, /`__proto__`/],
    ['{"a":{"\\u005f_proto__":{"polluted":1}}}', 400, /`__proto__`/],
    ['{"constructor":{"prototype":{"polluted":1}}}', 400, /constructor/],
    ['9007199254740993', 422, /9007199254740993 would become 9007199254740992; send it as text/],
    ['{"a":[1,{"b":-18446744073709551615}]}', 422, /^a\.1\.b: .*would become/],
    ['{"a":1e400}', 422, /^a: 1e400 is beyond what a number can hold/],
    ['[1e-400]', 422, /would become 0/],
    ['[-0]', 422, /-0 would become 0/],
    ['{"a":{"b":1,"b":2}}', 422, /^a\.b: is given twice/],
    ['{"a":1,"\\u0061":2}', 422, /^a: is given twice/],
    ['"\u0000"', 400, /not JSON/],
    ['NaN', 400, /not JSON/],
    [bytes(0xff), 400, /UTF-8/],
    [bytes(0xc0, 0x80), 400, /UTF-8/],
    [bytes(0xed, 0xa0, 0x80), 400, /UTF-8/],
    [`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 422, /deeper than 64 levels/],
    [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 422, /deeper than 64 levels/],
    [many(10_000, (index) => `"k${index}":0`), 422, /more than 10000 values/],
  ])('%.60s', async (body, expected, says) => {
    const before = await api.written()
    const { status, answer } = await post('/enqueue/any', body)
    expect(status).toBe(expected)
    expect(answer.detail).toMatch(says)
    expect(await api.written()).toBe(before)
    expect(Object.keys(Object.prototype)).toEqual([])
    expect({}).not.toHaveProperty('polluted')
  })

  test('by its index in a batch, of JSON and of lines', async () => {
    const batch = await post('/enqueue/any/batch', '[1,{"a":9007199254740993}]')
    expect(batch.answer).toMatchObject({ status: 422, issues: [{ path: '1.a' }] })
    const lines = { 'content-type': 'application/x-ndjson' }
    const second = await post('/enqueue/any/batch', '1\n\n{"a":1,"a":2}\n', lines)
    expect(second.answer).toMatchObject({ status: 422, issues: [{ path: '1.a' }] })
  })

  test.each(['utf-16', 'latin1', '"iso-8859-1"', 'utf-8; charset=utf-7'])(
    'where its charset is %s',
    async (charset) => {
      const headers = { 'content-type': `application/json; charset=${charset}` }
      const { answer } = await post('/enqueue/any', '"x"', headers)
      expect(answer).toMatchObject({ status: 415, code: 'unsupported_media' })
    },
  )
})

test.each([
  'application/json; charset=utf-8',
  'Application/JSON;charset="UTF-8"',
  'application/json; x=y',
])('a body of type %s is read', async (type) => {
  expect((await post('/enqueue/any', '"x"', { 'content-type': type })).status).toBe(202)
})

describe('a value of the program itself', () => {
  test.each<[string, unknown, RegExp]>([
    ['a bigint', { a: 1n }, /^a: a bigint/],
    ['not a number', { a: [Number.NaN] }, /^a\.0: NaN/],
    ['infinite', Number.POSITIVE_INFINITY, /^Infinity/],
    ['a function', { run: () => 1 }, /^run: a function/],
    ['a symbol', [Symbol('x')], /^0: a symbol/],
    ['a Map', { m: new Map([[1, 2]]) }, /^m: a Map/],
    ['a promise that was not awaited', { p: Promise.resolve(1) }, /^p: a Promise/],
  ])('that is %s is refused', async (_name, payload, says) => {
    const before = await api.written()
    const call = api.client.enqueue('any', payload)
    await expect(call).rejects.toMatchObject({
      code: 'bad_payload',
      issues: [{ message: expect.stringContaining('cannot be written as JSON') }],
    })
    await expect(call).rejects.toThrow(new RegExp(says.source.replace('^', '')))
    expect(await api.written()).toBe(before)
  })

  test('of what JSON can say comes back', async () => {
    const given = { half: '\ud800', at: new Date(0), none: undefined, own: new URL('http://a/') }
    const { id } = await api.client.enqueue('any', given)
    expect(await shown(id)).toBe(
      '{"half":"\\ud800","at":"1970-01-01T00:00:00.000Z","own":"http://a/"}',
    )
  })
})
