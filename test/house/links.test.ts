import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { exists, filesBelow, read } from './source.js'

const pages = ['README.md', 'CHANGELOG.md', ...filesBelow('docs', /\.md$/)]

/** The targets of a page's links, without those in code. */
function targetsOf(text: string): string[] {
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '')
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
  const named = [...prose.matchAll(/^\[[^\]]+\]:\s+<?(\S+?)>?$/gm)]
  return [...inline, ...named].map(([, target]) => target ?? '')
}

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )

function brokenLinks(page: string): string[] {
  return targetsOf(read(page))
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), decodeURI(path))
      if (!exists(file)) return true
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(read(file)).includes(anchor)
    })
    .map((target) => `${page}: ${target}`)
}

test('every relative link of the docs leads to a file and a heading', () => {
  expect(pages.filter((page) => !exists(page))).toEqual([])
  expect(pages.flatMap(brokenLinks)).toEqual([])
})

test('links in code are not links, and anchors are read as headings', () => {
  expect(targetsOf('[a](b.md#c) `[x](y)`\n```\n[q](r)\n```\n[n]: ./m.md\n')).toEqual([
    'b.md#c',
    './m.md',
  ])
  expect(anchorsOf('## Config and `plugins`!\n')).toEqual(['config-and-plugins'])
})
