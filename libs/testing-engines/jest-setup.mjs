// jest's globalSetup for the tiers that need engines. It runs in plain Node, before any build: the loader makes the sources runnable.
import './source-loader.mjs';

export default async function setup() {
  const { startEngines } = await import('./src/engines.ts');
  const engines = await startEngines();
  Object.assign(process.env, engines.env);
  // Same process as the teardown, another module instance.
  globalThis[Symbol.for('centralita.engines')] = engines;
  const interrupted = () => void engines.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
}
