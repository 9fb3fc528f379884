// Makes a Kafka and a Postgres ready for the services, and may run again at any time: databases with their roles, topics, migrations.
// ADMIN_DATABASE_URL may create databases and roles; DATABASE_PASSWORD is what the roles sign in with; KAFKA_BROKERS with commas.
import { spawnSync } from 'node:child_process';
import { ensureTopics, openEventLog } from '@centralita/event-log';
import { keyringMigration } from '@centralita/keyring';
import { runMigrations } from '@centralita/platform-nest';
import { createDatabase } from '@centralita/testing-engines';

const databases = ['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'gateway', 'keyring'];

const required = (name) => {
  const value = process.env[name];
  if (value) return value;
  process.stderr.write(`${name} is required\n`);
  process.exit(78);
};
const adminUrl = required('ADMIN_DATABASE_URL');
const password = required('DATABASE_PASSWORD');
const brokers = required('KAFKA_BROKERS').split(',');

const done = (what) => process.stdout.write(`${what}\n`);

const owners = {};
for (const name of databases) owners[name] = (await createDatabase(adminUrl, { name, password })).ownerUrl;
done(`databases: ${databases.join(', ')}`);

const log = openEventLog({ brokers, clientId: 'centralita-prepare' });
const replicationFactor = Math.min(3, brokers.length);
await ensureTopics(log.admin, { replicationFactor, minInsyncReplicas: replicationFactor === 3 ? 2 : 1 });
await log.close();
done(`topics: there, ${replicationFactor} replicas`);

const applied = await runMigrations({ url: owners.keyring, migrations: [keyringMigration] });
done(`keyring: ${applied.length} migrations`);
for (const name of databases.filter((database) => database !== 'keyring')) {
  const env = { ...process.env, INGEST_ROLE: 'webhook', DATABASE_MIGRATOR_URL: owners[name] };
  const script = `apps/${name.replace('_', '-')}/dist/main.js`;
  const { status } = spawnSync(process.execPath, [script, 'migrate'], { env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  done(`${name}: migrated`);
}
