import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEventLog, topicSpecs } from '@centralita/event-log';
import { deleteTopics, dropDatabase } from '@centralita/testing-engines';
import { assertSeesAll, databaseMarks, databaseNames, prepareDatabases } from './databases.js';
import type { Databases } from './databases.js';
import type { Externals } from './externals.js';
import type { Folders } from './folders.js';
import { StartProblem, unreachable } from './problem.js';
import { assertNoRecords, prepareTopics } from './topics.js';

export type Stores = {
  adminUrl: string;
  brokers: readonly string[];
  externals: Externals;
  folders: Folders;
  /** Whose data it is: made with the secrets of the folder. */
  installation: string;
  password: string;
  /** A checked run: what an earlier one has left behind goes first. */
  once: boolean;
};

/** What a start has made on engines that are not its own, for who removes it. */
type Given = { installation: string; clusterId: string; topics: readonly string[] };

const fileOf = (folders: Folders): string => join(folders.state, 'given.json');

// A database says whose it is and which Kafka it follows: the keys of its ciphertext lie in the folder, its offsets in the log.
const markOf = (installation: string, clusterId: string): string => `centralita ${installation} ${clusterId}`;

/** Folder, Postgres and Kafka must be those of one installation. Anything else would end in alarms of the services, long after. */
const assertTogether = (stores: Stores, clusterId: string, marks: ReadonlyMap<string, string | null>): void => {
  const { adminUrl, externals, brokers, installation } = stores;
  const mine = markOf(installation, clusterId);
  const names = (wrong: (mark: string | null) => boolean): string =>
    [...marks].flatMap(([name, mark]) => (wrong(mark) ? [name] : [])).join(', ');

  const strangers = names((mark) =>
    mark === null ? externals.databaseUrl !== null : !mark.startsWith(markOf(installation, '')),
  );
  if (strangers !== '')
    throw new StartProblem(
      `the Postgres at ${new URL(adminUrl).host} has databases that this folder has not made (${strangers}): drop them, or name another server`,
    );
  const elsewhere = names((mark) => mark !== null && mark !== mine);
  if (elsewhere !== '')
    throw new StartProblem(
      `the databases (${elsewhere}) go with another Kafka than the one at ${brokers.join(',')}: give that one again, or remove both and begin with nothing`,
    );
};

/** Creates the databases, roles and topics that are missing, after making sure that folder, Postgres and Kafka belong together. */
export const prepareStores = async (stores: Stores): Promise<Databases> => {
  const { adminUrl, brokers, externals, folders, installation, password, once } = stores;
  const log = await openEventLog({ brokers: [...brokers], clientId: 'centralita-start' });
  try {
    const clusterId = await log.admin.clusterId().catch(unreachable('KAFKA_BROKERS', brokers.join(',')));
    if (once) {
      await assertSeesAll(adminUrl).catch(unreachable('DATABASE_URL', new URL(adminUrl).host));
      await removeGiven(stores);
    }
    const marks = await databaseMarks(adminUrl).catch(unreachable('DATABASE_URL', new URL(adminUrl).host));
    assertTogether(stores, clusterId, marks);
    const topics = (await log.admin.describeTopics(topicSpecs.map(({ name }) => name))).map(({ name }) => name);
    if (marks.size === 0) await assertNoRecords(log.admin, brokers, topics);
    if ((externals.brokers !== null || externals.databaseUrl !== null) && !existsSync(fileOf(folders))) {
      const made = topicSpecs.map(({ name }) => name).filter((name) => !topics.includes(name));
      await writeFile(fileOf(folders), JSON.stringify({ installation, clusterId, topics: made } satisfies Given));
    }
    const [databases] = await Promise.all([
      prepareDatabases(adminUrl, { password, mark: markOf(installation, clusterId) }),
      prepareTopics(log.admin, brokers),
    ]);
    return databases;
  } finally {
    await log.close();
  }
};

/** Removes what this folder has made on engines that are not its own: databases that bear its mark, topics that it has created. */
export const removeGiven = async (stores: Pick<Stores, 'adminUrl' | 'brokers' | 'externals' | 'folders'>): Promise<void> => {
  const { adminUrl, brokers, externals, folders } = stores;
  const file = fileOf(folders);
  if (!existsSync(file)) return;
  const made = JSON.parse(await readFile(file, 'utf8')) as Given;
  if (externals.databaseUrl !== null) {
    const marks = await databaseMarks(adminUrl);
    for (const name of databaseNames)
      if (marks.get(name)?.startsWith(markOf(made.installation, ''))) await dropDatabase(adminUrl, name);
  }
  if (externals.brokers !== null) {
    const log = await openEventLog({ brokers: [...brokers], clientId: 'centralita-start' });
    const sameCluster = (await log.admin.clusterId().finally(() => log.close())) === made.clusterId;
    if (sameCluster) await deleteTopics(brokers, made.topics);
  }
  await rm(file);
};
