// A process of its own that uses an embedded Redis: `node other-user.mjs <directory> <program>`.
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url, { fsCache: false })
/** @type {typeof import('../../../src/broker/embedded/index.js')} */
const { startEmbedded } = await jiti.import('../../../src/broker/embedded/index.ts')
const [directory = '', program = ''] = process.argv.slice(2)
const { url, joined } = await startEmbedded({ directory, program })
console.log(JSON.stringify({ url, joined }))
setInterval(() => undefined, 1 << 30)
