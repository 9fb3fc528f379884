import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const only = (...tags) => ({ onlyDependOnLibsWithTags: tags });

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '.centralita/**', 'coverage/**', 'libs/contracts/generated/**', '**/*.d.ts'] },
  ...tseslint.configs.recommendedTypeChecked,
  { languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.mjs'] }, tsconfigRootDir: import.meta.dirname } } },
  { files: ['**/*.mjs', '**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: [
            { sourceTag: 'type:contract', ...only('type:contract-none') },
            { sourceTag: 'type:testing-kit', ...only('type:testing-kit-none') },
            { sourceTag: 'type:domain', ...only('type:contract', 'type:testing-kit') },
            { sourceTag: 'type:testing', ...only('type:contract', 'type:testing-kit', 'type:tool') },
            { sourceTag: 'type:platform', ...only('type:contract', 'type:platform', 'type:testing-kit', 'type:testing') },
            { sourceTag: 'type:app', ...only('type:contract', 'type:domain', 'type:platform', 'type:testing-kit', 'type:testing') },
            { sourceTag: 'type:tool', ...only('type:contract', 'type:domain', 'type:platform', 'type:testing-kit', 'type:testing', 'type:tool') },
          ],
        },
      ],
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
