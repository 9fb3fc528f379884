// The billing fold rebuilt from offset 0 by the commands that operations and auditors use, against a kafkajs loop that parses the same records and
// does nothing with them. Both are programs that are started for each round: the clock runs from their start to their end.
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEventLog, topicSpecs, type EventLog, type LogRecord } from '@centralita/event-log';
import { createDatabase, dropDatabase } from '@centralita/testing-engines';
import type { Bench, Ground, Side, Work } from '../bench.js';
import { runProgram } from './child.js';
import { newMessageRef, statusChanged, TENANT, WABA } from './records.js';

const MESSAGES = 100_000;
const STATUSES = ['sent', 'delivered', 'read'];
const RECORDS = MESSAGES * STATUSES.length;
const AT_ONCE = 3_000;

const program = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

const fill = async (log: EventLog, partitions: number): Promise<void> => {
  // The replay reads all that there is: a broker that is given must have nothing on these topics.
  const needed = topicSpecs.filter(({ name }) => name === 'wa.inbound.v1' || name === 'billing.events.v1');
  await log.admin.createTopics(needed.map((spec) => ({ ...spec, partitions })));
  for (let from = 0; from < MESSAGES; from += AT_ONCE / STATUSES.length) {
    const records: LogRecord[] = [];
    for (let index = from; index < Math.min(MESSAGES, from + AT_ONCE / STATUSES.length); index += 1) {
      const [key, messageRef] = [randomUUID(), newMessageRef()];
      for (const status of STATUSES) records.push(statusChanged(key, messageRef, status));
    }
    await log.append(records);
  }
};

/** How many records the fold was made of, all of them and of every message one row. */
const foldedIn = (output: string): number => {
  const told = JSON.parse(output) as { records: number; tenants: Record<string, { rows: number }> };
  const rows = told.tenants[TENANT]?.rows;
  if (told.records !== RECORDS || rows !== MESSAGES)
    throw new Error(`${told.records} records gave ${String(rows)} rows, not ${RECORDS} and ${MESSAGES}`);
  return told.records;
};

/** The same fold as an auditor runs it, in memory, with the hash of every record. */
const ourAudit = async ({ brokers, made }: Ground): Promise<Side> => ({
  prepare: async (): Promise<Work> => {
    let output = '';
    const args = ['replay', '--brokers', brokers.join(','), '--accounts', made['accounts'] ?? '', '--json'];
    return {
      run: async () => {
        output = await runProgram({ args: [program('apps/cli/dist/main.js'), ...args], env: {} });
      },
      confirmed: async () => foldedIn(output),
    };
  },
  close: async () => undefined,
});

/** The replay as operations start it. */
export const ourReplay = async ({ brokers, databaseUrl, made }: Ground): Promise<Side> => ({
  prepare: async (): Promise<Work> => {
    // An empty database for each round, migrated as a deployment does it.
    const name = `bench_billing_${randomBytes(4).toString('hex')}`;
    const { ownerUrl, appUrl } = await createDatabase(databaseUrl, { name, password: randomBytes(12).toString('hex') });
    const env = { ACCOUNTS_FILE: made['accounts'] ?? '', KAFKA_BROKERS: brokers.join(','), DATABASE_URL: appUrl };
    await runProgram({ args: [program('apps/billing/dist/main.js'), 'migrate'], env: { DATABASE_MIGRATOR_URL: ownerUrl } });
    let output = '';
    return {
      run: async () => {
        output = await runProgram({ args: [program('apps/billing/dist/main.js'), 'replay'], env });
      },
      confirmed: async () => {
        await dropDatabase(databaseUrl, name);
        return foldedIn(output);
      },
    };
  },
  close: async () => undefined,
});

const theirs = async ({ brokers }: Ground): Promise<Side> => ({
  prepare: async (): Promise<Work> => {
    let output = '';
    const env = { KAFKA_BROKERS: brokers.join(','), RECORDS: String(RECORDS) };
    return {
      run: async () => {
        output = await runProgram({ args: [fileURLToPath(new URL('../programs/parse-loop.js', import.meta.url))], env });
      },
      confirmed: async () => {
        const told = JSON.parse(output) as { ids: number };
        if (told.ids !== RECORDS) throw new Error(`of ${RECORDS} records ${told.ids} were parsed`);
        return told.ids;
      },
    };
  },
  close: async () => undefined,
});

/** A log to replay, and the accounts that it is about. */
export const setUpReplay = async ({ brokers, folder }: Ground, partitions = 12): Promise<Record<string, string>> => {
  const log = await openEventLog({ brokers: [...brokers], clientId: 'bench' });
  await fill(log, partitions);
  await log.close();
  const accounts = join(folder, 'accounts.json');
  const numbers = [{ phoneNumberId: '501-1', displayPhoneNumber: '34911000001', name: 'Bench' }];
  const account = { tenantId: TENANT, wabaId: WABA, timeZone: 'Europe/Madrid', currency: 'USD', numbers };
  await writeFile(accounts, JSON.stringify({ accounts: [account] }));
  return { accounts };
};

export const p3: Bench = {
  id: 'P3',
  what: 'the billing fold rebuilt from Kafka, 300,000 statuses of 100,000 messages',
  baseline: 'a kafkajs 2.2.4 consumer (eachBatch) that parses the same records and keeps nothing',
  engines: ['postgres', 'kafka'],
  cases: [
    { name: 'replay from offset 0, into the database', goal: 0.5, leastPerSecond: 100_000, parameters: {} },
    { name: 'replay from offset 0, in memory', goal: 0.5, leastPerSecond: 100_000, parameters: { inMemory: 1 } },
  ],
  setUp: (ground) => setUpReplay(ground),
  ours: (ground, { inMemory }) => (inMemory === 1 ? ourAudit(ground) : ourReplay(ground)),
  theirs,
};
