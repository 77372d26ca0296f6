// The floors of docs/architecture.md, held by `npm run check`. Each rule carries its reason.

/** Which rooms of src a room may import besides its own. What is not listed is forbidden. */
const below = {
  core: [],
  broker: ['core'],
  telemetry: ['core'],
  client: ['core', 'telemetry'],
  worker: ['core', 'telemetry'],
  services: ['core', 'telemetry'],
  http: ['core', 'client', 'telemetry'],
  kernel: ['core', 'broker', 'telemetry', 'client', 'worker', 'services', 'http'],
  cli: ['core', 'client', 'kernel'],
}

const reasons = {
  core: 'The words of the house: everyone imports them, so they may import no one.',
  broker: 'Tasks move by ids and scores alone; whoever runs or serves them is not its business.',
  telemetry: 'What is measured comes in as values; it asks no room for anything.',
  client: 'It enqueues through the Broker contract of core, so that any store can stand behind it.',
  worker:
    'It runs one queue through the Broker contract; who enqueues and who rescues are siblings.',
  services: 'Each tick stands alone on the Broker contract, beside client and worker.',
  http: 'A route asks the client; what no client can say, no route says.',
  kernel: 'It wires everything below it and is started from above.',
  cli: 'A command goes through the client or the kernel, as any program of a user would.',
}

const floors = Object.entries(below).map(([room, allowed]) => ({
  name: `floor-${room}`,
  comment: `${reasons[room]} May import: ${allowed.join(', ') || 'nothing else in src'}.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: {
    path: ['^src/', '^plugins/', '^dist/'],
    pathNot: `^src/(${[room, ...allowed].join('|')})/`,
  },
}))

/** Packages that only one room may import, and why. */
const owners = [
  {
    room: 'broker',
    packages: 'ioredis|ioredis-mock|redis-[^/]+',
    comment:
      'One room speaks to Redis, so that its traps are met once and the store can be replaced.',
  },
  {
    room: 'http',
    packages: 'fastify|fastify-[^/]+|@fastify/[^/]+',
    comment: 'One room speaks HTTP; the rest of the house works without a server.',
  },
  {
    room: 'telemetry',
    packages: '@opentelemetry/[^/]+|pino|pino-[^/]+',
    comment: 'One room names spans, metrics and log lines, so that their names stay one set.',
  },
].map(({ room, packages, comment }) => ({
  name: `only-${room}`,
  comment,
  severity: 'error',
  from: { path: ['^src/', '^plugins/'], pathNot: `^src/${room}/` },
  // The second form is how a package that is not installed is named.
  to: { path: [`(^|/)node_modules/(@types/)?(${packages})/`, `^(${packages})(/|$)`] },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...floors,
    ...owners,
    {
      name: 'core-without-io',
      comment: 'core is pure: a decision that does no I/O can be tested without anything running.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|net|tls|http|http2|https|dgram|dns|child_process|cluster|worker_threads|readline|repl|inspector)(/|$)',
      },
    },
    {
      name: 'doors-lead-in',
      comment: 'index, client and testing hand out what is inside; inside nobody needs a door.',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'client-door-is-light',
      comment: 'A service that only enqueues loads no handler, no server and no kernel.',
      severity: 'error',
      from: { path: '^src/client\\.ts$' },
      to: { path: '^src/(worker|services|http|kernel|cli)/', reachable: true },
    },
    {
      name: 'testing-door-needs-no-redis',
      comment: 'runTask() runs one handler on a machine without Redis.',
      severity: 'error',
      from: { path: '^src/testing\\.ts$' },
      to: { path: '^src/(broker|http|kernel|cli)/', reachable: true },
    },
    {
      name: 'plugins-are-guests',
      comment:
        'A plugin of ours imports what a plugin of a user can: `redisdistro`, packages, its own files.',
      severity: 'error',
      from: { path: '^plugins/([^/]+)/' },
      to: {
        path: ['^src/', '^test/', '^scripts/', '^plugins/', '^dist/'],
        pathNot: ['^plugins/$1/', '^(src/index\\.ts|dist/src/index\\.(js|d\\.ts))$'],
      },
    },
    {
      name: 'plugins-knock',
      comment: 'Even the front door is reached by its name, never by a path into the house.',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^(src|dist)/', dependencyTypes: ['local'] },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one file, or hide a third. Types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-tests-inside',
      comment: 'What is shipped does not need what is not.',
      severity: 'error',
      from: { path: ['^src/', '^plugins/'] },
      to: { path: ['^test/', '^scripts/', '^examples/', '^bench/'] },
    },
    {
      name: 'no-dev-dependency',
      comment: 'A user installs the dependencies alone: an import of another breaks there.',
      severity: 'error',
      from: { path: ['^src/', '^plugins/'] },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '^(dist|src)/',
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere escapes every other rule here.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
