import { expect, test } from 'vitest'
import { Places } from '../../src/kernel/places.js'

const { signal } = new AbortController()

test('as many have a place as there are; the next in line has the one that is left', async () => {
  const places = new Places(2)
  const order: string[] = []
  const take = (name: string) => places.take(signal).then(() => order.push(name))
  await Promise.all([take('a'), take('b')])
  const others = [take('c'), take('d')]
  await Promise.resolve()
  expect(order).toEqual(['a', 'b'])
  places.leave()
  await others[0]
  expect(order).toEqual(['a', 'b', 'c'])
  places.leave()
  await others[1]
  expect(order).toEqual(['a', 'b', 'c', 'd'])
})

test('who stops waiting is out of line, and takes no place', async () => {
  const places = new Places(1)
  await places.take(signal)
  const stop = new AbortController()
  const waiting = places.take(stop.signal)
  const next = places.take(signal)
  stop.abort(new Error('no more'))
  await expect(waiting).rejects.toThrow('no more')
  places.leave()
  await next
  await expect(places.take(stop.signal)).rejects.toThrow('no more')
})
