import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { moduleBoundaries } from './tools/test/boundaries.mjs';

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.nx/**',
      '.centralita/**',
      'coverage/**',
      'libs/contracts/generated/**',
      '**/*.d.ts',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: [
            '*.mjs',
            'tools/test/*.mjs',
            'tools/start/*.mjs',
            'tools/lockfile/*.mjs',
            'docker/*.mjs',
            'libs/testing-engines/*.mjs',
          ],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  { files: ['**/*.mjs', '**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': moduleBoundaries,
      eqeqeq: 'error',
      'object-shorthand': 'error',
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Nest needs empty module classes, and async handlers of ports need not await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  {
    files: ['libs/domain/**/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'fetch'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Domain code has no clock: take now as an argument.' },
        { object: 'Math', property: 'random', message: 'Domain code has no randomness: take ids as arguments.' },
      ],
      'no-restricted-imports': ['error', { patterns: ['node:*', '@nestjs/*', 'kafkajs', 'typeorm', 'pg'] }],
    },
  },
  { files: ['apps/cli/**/*.ts', 'tools/**/*.ts', '**/*.mjs'], rules: { 'no-console': 'off' } },
  { files: ['*.config.mjs', '*.mjs', '**/*.config.ts'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['**/*.spec.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
);
