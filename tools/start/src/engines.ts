import { startEngines } from '@centralita/testing-engines';

// Keeps one Kafka and one Postgres up for many test runs: export the two lines that it prints, and jest starts nothing of its own.
const engines = await startEngines({ maxConnections: 400, onLog: (line) => console.error(line) });
for (const [name, value] of Object.entries(engines.env)) console.log(`export ${name}=${value}`);
console.error('engines are up; Ctrl-C stops them and deletes their data');

const stop = (): void => void engines.stop().then(() => process.exit(0));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
