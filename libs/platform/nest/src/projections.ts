import { PlatformError, type Service } from '@centralita/contracts';
import { openEventLog, type TopicHandler } from '@centralita/event-log';
import { createDataSource, Database, EventStore, rebuildProjection } from '@centralita/event-store';
import { loadConfig } from './config.js';
import { kafkaConnection } from './kafka.js';
import { migratorEnv } from './run-service.js';

/** Tables that follow from the log alone, and the handlers that fill them: those of live, as far as they write these tables. */
export type Projection = {
  readonly tables: readonly string[];
  readonly handlers: ReadonlyMap<string, TopicHandler>;
  /** What the handlers needed, given back. */
  readonly close?: () => Promise<void>;
};

export type ProjectionsOptions = {
  readonly service: Service;
  /** The group that serves. */
  readonly groupId: string;
  /** By name; opened when it is the one. */
  readonly projections: Readonly<Record<string, () => Promise<Projection>>>;
};

/**
 * `main.js projection NAME`: fills the projection again beside the one that serves, which goes on until the new one has caught up, and
 * exchanges them in one transaction. As the owner of the tables (DATABASE_MIGRATOR_URL). Appends `projection.rebuilt`. Gives the exit status.
 */
export const runProjection = async (
  { service, groupId, projections }: ProjectionsOptions,
  name: string | undefined,
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> => {
  const open = name === undefined ? undefined : projections[name];
  if (name === undefined || !open)
    throw new PlatformError('CONFIGURATION_INVALID', `name a projection: ${Object.keys(projections).join(', ')}`);
  const [{ DATABASE_MIGRATOR_URL: url }, kafka] = loadConfig(env, migratorEnv, kafkaConnection);
  const projection = await open();
  const log = await openEventLog({ ...kafka, clientId: `centralita-${service}-projection` });
  const db = new Database(createDataSource({ url, poolSize: 2, applicationName: `centralita-${service}-projection` }));
  try {
    const { tables, handlers } = projection;
    const options = { db, log, store: new EventStore({ service }), projection: name, tables, groupId, handlers };
    const { records, events, rows } = await rebuildProjection(options);
    print(JSON.stringify({ projection: name, records, events, rows: rows.toString() }));
    return 0;
  } finally {
    await db.close();
    await log.close();
    await projection.close?.();
  }
};
