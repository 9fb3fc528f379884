// One configuration for every tier; the tier is chosen by TEST_TIER (unit, int, e2e, fault), unit when unset.
const tier = process.env.TEST_TIER ?? 'unit';
const engines =
  tier === 'unit'
    ? {}
    : { globalSetup: './libs/testing-engines/jest-setup.mjs', globalTeardown: './libs/testing-engines/jest-teardown.mjs' };

export default {
  testMatch: [`**/src/**/*.${tier}.spec.ts`],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/.centralita/'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.centralita/', '<rootDir>/.nx/'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['development', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          target: 'es2024',
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // The machines are small: integration tiers share two cores with Kafka and Postgres.
  maxWorkers: 2,
  testTimeout: tier === 'unit' ? 10_000 : 60_000,
  ...engines,
};
