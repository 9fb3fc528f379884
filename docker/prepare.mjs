// Makes a Kafka and a Postgres ready for the services, and may run again at any time: databases with their roles, topics, migrations.
// ADMIN_DATABASE_URL may create databases and roles; DATABASE_PASSWORD is what the roles sign in with; KAFKA_BROKERS with commas.
import { spawnSync } from 'node:child_process';
import { ensureTopics, openEventLog } from '@centralita/event-log';
import { keyringMigration } from '@centralita/keyring';
import { runMigrations } from '@centralita/platform-nest';
import pg from 'pg';

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

const prepareDatabase = async (client, name) => {
  const roles = ['owner', 'app', 'relay'].map((kind) => `${name}_${kind}`);
  for (const role of roles) {
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
    const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
    const rights = 'LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE';
    await client.query(`${verb} ROLE ${role} ${rights} PASSWORD ${client.escapeLiteral(password)}`);
  }
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${name} OWNER ${roles[0]}`);
  await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${name} TO ${roles.join(', ')}`);
};

const ownerOf = (name) => {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  url.username = `${name}_owner`;
  url.password = password;
  return url.href;
};

const client = new pg.Client({ connectionString: adminUrl });
await client.connect();
for (const name of databases) await prepareDatabase(client, name);
await client.end();
done(`databases: ${databases.join(', ')}`);

const log = openEventLog({ brokers, clientId: 'centralita-prepare' });
const replicationFactor = Math.min(3, brokers.length);
await ensureTopics(log.admin, { replicationFactor, minInsyncReplicas: replicationFactor === 3 ? 2 : 1 });
await log.close();
done(`topics: there, ${replicationFactor} replicas`);

const applied = await runMigrations({ url: ownerOf('keyring'), migrations: [keyringMigration] });
done(`keyring: ${applied.length} migrations`);
for (const name of databases.filter((database) => database !== 'keyring')) {
  const env = { ...process.env, INGEST_ROLE: 'webhook', DATABASE_MIGRATOR_URL: ownerOf(name) };
  const script = `apps/${name.replace('_', '-')}/dist/main.js`;
  const { status } = spawnSync(process.execPath, [script, 'migrate'], { env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  done(`${name}: migrated`);
}
