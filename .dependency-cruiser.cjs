const ours =
  '^(workflows|activities|api|db|domain|apple|pki|mail|dashboard|simulator|dev|bench|test)/|^(config|logger|worker|server)\\.ts$';
const isTest = '\\.test\\.tsx?$';
const rule = (name, comment, edge) => ({ name, comment, severity: 'error', ...edge });
const only = (folder, ...allowed) => ({
  from: { path: `^${folder}/`, pathNot: isTest },
  to: { path: ours, pathNot: [`^${folder}/`, ...allowed] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    rule('no-cycles', 'Two files that need each other are one idea or three.', {
      from: {},
      to: { circular: true },
    }),
    rule('domain-imports-nothing', 'Rules run in the workflow sandbox and in any test.', {
      from: { path: '^domain/', pathNot: isTest },
      to: { pathNot: '^domain/' },
    }),
    rule(
      'apple-knows-domain-only',
      'Wire formats become domain types here.',
      only('apple', '^domain/'),
    ),
    rule('db-knows-domain-only', 'SQL becomes domain types here.', only('db', '^domain/')),
    rule(
      'activities-are-hands',
      'They do; they are not asked by doors.',
      only('activities', '^domain/', '^apple/', '^db/', '^mail/'),
    ),
    rule(
      'workflows-orchestrate',
      'Rules by value, activities by type.',
      only('workflows', '^domain/', '^activities/'),
    ),
    rule('activities-by-type-only', 'A value import would pull the world into the sandbox.', {
      from: { path: '^workflows/', pathNot: isTest },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    }),
    rule(
      'api-starts-work',
      'It does not do it.',
      only('api', '^domain/', '^apple/', '^pki/', '^db/', '^dashboard/', '^workflows/'),
    ),
    rule('api-knows-the-contract', 'Names and ids by value, workflow functions by type.', {
      from: { path: '^api/', pathNot: isTest },
      to: {
        path: '^workflows/',
        pathNot: '^workflows/contract\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    }),
    rule(
      'simulator-shares-only-the-wire',
      'It must be able to disagree with our client.',
      only('simulator', '^apple/[^/]+/wire\\.ts$'),
    ),
    rule(
      'dev-starts-processes',
      'It sets up what they run on and starts the roots; it knows no rules of theirs.',
      only(
        'dev',
        '^config\\.ts$',
        '^db/(migrate|create-database)\\.ts$',
        '^domain/errors\\.ts$',
        '^workflows/contract\\.ts$',
      ),
    ),
    rule('roots-do-not-lean-on-dev', 'Production does not need the embedded mode.', {
      from: { path: '^(worker|server|config)\\.ts$' },
      to: { path: '^(test|dev|simulator|bench)/' },
    }),
    rule('sql-in-db-only', 'Ask a store.', {
      from: { pathNot: '^(db|test|bench)/' },
      to: { path: '^node_modules/(drizzle-orm|postgres)/' },
    }),
    rule('forge-behind-apple', 'One place for PKI.', {
      from: { pathNot: '^(apple/(token|mdm)|pki|simulator|test)/' },
      to: { path: '^node_modules/node-forge/' },
    }),
    rule('tests-stay-out', 'Shipped code does not lean on tests.', {
      from: { pathNot: `(^test/|^bench/|${isTest})` },
      to: { path: `(^test/|${isTest})` },
    }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules|\\.data)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
