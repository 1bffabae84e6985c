import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const builtins = builtinModules
  .filter((name) => name !== 'assert')
  .flatMap((name) => [name, `node:${name}`]);

export default tseslint.config(
  { ignores: ['dist/', '.data/', '*.js', '*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off', // ports are async by contract
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration is read in config.ts.' },
      ],
      'no-console': 'error',
    },
  },
  {
    // Programs that a person starts: they hand process.env to loadConfig and speak to a terminal.
    files: ['*.ts', 'dev/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts', '**/*main.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-console': 'off' },
  },
  {
    files: ['workflows/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': ['error', ...builtins],
      'no-restricted-globals': ['error', 'fetch', 'process', 'Buffer', 'setImmediate'],
    },
  },
  {
    files: ['**/*.test.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
