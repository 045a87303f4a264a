import tseslint from 'typescript-eslint';

/**
 * Who may import whom under src/: the layers of docs/architecture.md, inner ones first.
 * A folder may import itself, `base`, and what its row names; anything else is a lint error.
 */
const LAYERS = {
  base: [],
  metrics: [],
  log: [],
  config: [],
  xml: [],
  crypto: [],
  srtp: [],
  sip: [],
  xmldsig: ['xml'],
  protect: ['crypto', 'kms', 'xml', 'xmldsig', 'sip', 'config'],
  kms: ['crypto', 'xml', 'xmldsig'],
  mikey: ['crypto', 'kms'],
  keys: ['crypto', 'kms', 'mikey'],
  floor: ['srtp'],
  media: ['srtp', 'floor', 'mikey'],
  clients: ['crypto', 'kms', 'mikey', 'keys'],
  gms: ['crypto', 'kms', 'mikey', 'keys', 'xml', 'sip', 'clients', 'config', 'https', 'xcap'],
  https: [],
  xcap: ['xml', 'xmldsig', 'https'],
  idm: ['https', 'config'],
  'idm-client': ['https', 'config'],
  'partner-documents': ['https', 'config', 'xml'],
  edge: [
    'crypto',
    'kms',
    'mikey',
    'keys',
    'xml',
    'sip',
    'srtp',
    'media',
    'floor',
    'clients',
    'config',
  ],
  pbx: ['edge'],
  store: ['kms', 'keys', 'clients', 'edge'],
  audit: ['keys', 'clients', 'edge'],
  sim: ['crypto', 'srtp', 'sip', 'mikey', 'kms', 'xml', 'protect', 'floor'],
  admin: ['edge', 'keys', 'media', 'metrics'],
  console: ['admin'],
  cli: '*',
};

const folders = Object.keys(LAYERS);

/** The folders of src/edge, inner ones first: each may import those before it, and the files beside them. */
const EDGE_FOLDERS = ['ports', 'messages', 'sdp', 'partners', 'push-to-talk', 'groups', 'calls'];

/** What a folder may not import by LAYERS. */
function outsideOf(folder) {
  const allowed = new Set([folder, 'base', ...LAYERS[folder]]);
  const forbidden = folders.filter((other) => !allowed.has(other));
  return {
    group: forbidden.flatMap((other) => [`../${other}/*`, `../../${other}/*`]),
    message: `src/${folder} may not depend on this folder (see LAYERS in eslint.config.js).`,
  };
}

function forbid(folder, patterns) {
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

/** ESLint blocks that forbid each folder every import its row does not name. */
const layerRules = folders
  .filter((folder) => LAYERS[folder] !== '*')
  .map((folder) => forbid(folder, [outsideOf(folder)]));

const edgeRules = EDGE_FOLDERS.map((folder, index) =>
  forbid(`edge/${folder}`, [
    outsideOf('edge'),
    {
      group: [
        ...EDGE_FOLDERS.slice(index + 1).map((later) => `../${later}/*`),
        '../edge.js',
        '../index.js',
      ],
      message: `src/edge/${folder} may not depend on this (see EDGE_FOLDERS in eslint.config.js).`,
    },
  ]),
);

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'artefacts/', 'node_modules/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'scripts/*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['**/*.mjs', '**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  { files: ['src/cli/**', 'scripts/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  {
    // winston types its transports as interfaces beside the class they extend
    files: ['src/log/**'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
  ...layerRules,
  ...edgeRules,
);
