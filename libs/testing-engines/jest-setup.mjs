// jest's globalSetup for the tiers that need engines. It runs in plain Node, before any build: the loader makes the sources runnable.
import './source-loader.mjs';

export default async function setup() {
  const { startEngines } = await import('./src/engines.ts');
  const starting = startEngines();
  // Also while they start. What could not start has stopped itself.
  const interrupted = () =>
    void starting
      .then((engines) => engines.stop())
      .catch(() => undefined)
      .finally(() => process.exit(130));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const engines = await starting;
  Object.assign(process.env, engines.env);
  // Same process as the teardown, another module instance.
  globalThis[Symbol.for('centralita.engines')] = engines;
}
