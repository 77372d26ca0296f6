import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^redisdistro$/, replacement: here('./src/index.ts') },
      { find: /^redisdistro\/client$/, replacement: here('./src/client.ts') },
      { find: /^redisdistro\/testing$/, replacement: here('./src/testing.ts') },
      { find: /^redisdistro\/plugins\/email$/, replacement: here('./plugins/email/index.ts') },
    ],
  },
  test: {
    // The soak takes as long as it is told to: by hand alone.
    include: process.env['REDISDISTRO_FAULTS_SOAK']
      ? ['test/faults/soak.ts']
      : ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-redis.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Most tests wait for processes and servers of their own, so that two processors carry three.
    maxWorkers: 3,
  },
})
