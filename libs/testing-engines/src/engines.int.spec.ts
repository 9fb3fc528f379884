import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { createDatabase, createTestDatabase, createTestTopics, dropDatabase, testBrokers, until } from './index.js';

const query = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('the engines of a test run', () => {
  it('carry a record from a producer to a consumer', async () => {
    const { sut } = await createTestTopics(['sut'], 3);
    const kafka = new Kafka({ clientId: 'spec', brokers: testBrokers(), logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    const consumer = kafka.consumer({ groupId: sut, maxWaitTimeInMs: 200 });
    await Promise.all([producer.connect(), consumer.connect()]);
    const seen: string[] = [];
    try {
      await producer.send({ topic: sut, acks: -1, messages: [{ key: 'a', value: 'hola' }] });
      await consumer.subscribe({ topic: sut, fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => void seen.push(`${String(message.key)}=${String(message.value)}`),
      });
      await until(() => seen.length > 0, { timeoutMs: 20_000, describe: 'the record to arrive' });
    } finally {
      await consumer.disconnect();
      await producer.disconnect();
    }
    expect(seen).toEqual(['a=hola']);
  });

  it('can be given by a role that is no superuser, also when the roles are there already', async () => {
    const { TEST_DATABASE_URL: superuser = '' } = process.env;
    const owner = `operator_${randomBytes(5).toString('hex')}`;
    await query(superuser, `CREATE ROLE ${owner} LOGIN CREATEDB CREATEROLE PASSWORD 'operator'`);
    const admin = new URL(superuser);
    admin.username = owner;
    admin.password = 'operator';
    const name = `${owner}_store`;
    try {
      const first = await createDatabase(admin.href, { name, password: 'first' });
      await query(first.ownerUrl, 'CREATE TABLE thing (id int)');
      const second = await createDatabase(admin.href, { name, password: 'second' });
      expect(await query(second.ownerUrl, 'SELECT id FROM thing')).toEqual([]);
      await expect(query(first.ownerUrl, 'SELECT id FROM thing')).rejects.toThrow(/authentication failed/);
    } finally {
      await dropDatabase(admin.href, name);
      await query(superuser, `DROP ROLE ${owner}`);
    }
    expect(await query(superuser, `SELECT rolname FROM pg_roles WHERE rolname LIKE '${owner}%'`)).toEqual([]);
  });

  it('give a database whose roles can do what they are for and no more', async () => {
    const database = await createTestDatabase({ service: 'audit-log' });
    try {
      expect(database.name).toMatch(/^audit_log_[0-9a-f]{10}$/);
      await query(
        database.ownerUrl,
        `CREATE TABLE thing (id int); INSERT INTO thing VALUES (7); GRANT SELECT ON thing TO ${database.name}_app`,
      );
      expect(await query(database.appUrl, 'SELECT id FROM thing')).toEqual([{ id: 7 }]);
      await expect(query(database.appUrl, 'CREATE TABLE other (id int)')).rejects.toThrow(/permission denied/);
      await expect(query(database.relayUrl, 'SELECT id FROM thing')).rejects.toThrow(/permission denied/);
      expect(
        await query(database.adminUrl, `SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = '${database.name}_owner'`),
      ).toEqual([{ rolsuper: false, rolbypassrls: false }]);
    } finally {
      await database.drop();
    }
    await expect(query(database.ownerUrl, 'SELECT 1')).rejects.toThrow(/authentication failed|does not exist/);
  });
});
