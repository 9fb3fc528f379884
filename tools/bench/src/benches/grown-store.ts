// A store with a past: as many keys and events as years would bring, every head published, made by the server itself in bulk.
import { createHash } from 'node:crypto';
import pg from 'pg';
import { TENANT } from './records.js';

export const TOPIC = 'conversation.events.v1';
const KEYS_AT_ONCE = 100_000;

export type Past = { readonly keys: number; readonly eventsPerKey: number };

/** With the marks of a UUIDv4 in it, which schemas look for. */
const uuidOf = (text: string): string => {
  const hex = createHash('md5').update(text).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5');
};
const uuidSql = (text: string): string => `overlay(overlay(md5(${text}) placing '4' from 13) placing 'a' from 17)::uuid`;
/** The key with this number, and its one stream: the same here as in the statements below. */
export const placeOf = (index: number): { key: string; streamId: string } => ({
  key: uuidOf(`key ${index}`),
  streamId: uuidOf(`stream ${index}`),
});

// As append_events makes it: the bucket is that of the key, the versions of key and stream are gapless.
const heads = `insert into key_head (tenant_id, topic, key, bucket, last_version, published_version)
  select $1, $2, k, uuid_hash_extended(k, 0) & 15, $5, $5
  from generate_series($3::int, $4::int) as i, lateral (select ${uuidSql(`'key ' || i`)} as k) as key`;
const events = `insert into events (tenant_id, topic, key, key_version, stream_id, stream_version, event_id, type, data, meta, recorded_at)
  select $1, $2, k, v, s, v, id, 'contact.identified.v1',
         jsonb_build_object('contactId', s, 'subjectId', k),
         jsonb_build_object('source', '/centralita/conversation', 'time', '2026-01-10T10:00:00.000Z', 'correlationId', id, 'causationId', null),
         '2026-01-10T10:00:00Z'
  from generate_series(1, $5::int) as v, generate_series($3::int, $4::int) as i,
       lateral (select ${uuidSql(`'key ' || i`)} as k, ${uuidSql(`'stream ' || i`)} as s, ${uuidSql(`i || ' ' || v`)} as id) as ids`;

/** Constraints and indexes of the big tables, to be taken off while they are filled: built at the end they are built in one pass. */
const takeOff = async (client: pg.Client): Promise<string[]> => {
  const { rows } = await client.query<{ off: string; on: string }>(
    `select format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as off,
            format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) as on
       from pg_constraint c where c.conrelid in ('events'::regclass, 'key_head'::regclass) and c.contype in ('p', 'u')
     union all
     select format('drop index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
       from pg_index i
      where i.indrelid in ('events'::regclass, 'key_head'::regclass)
        and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`,
  );
  for (const { off } of rows) await client.query(off);
  return rows.map(({ on }) => on);
};

/** Fills an empty, migrated store; `adminUrl` is a superuser's, in its database. */
export const fillStore = async (adminUrl: string, { keys, eventsPerKey }: Past): Promise<void> => {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`set synchronous_commit = off; set maintenance_work_mem = '512MB'`);
    const putBack = await takeOff(client);
    for (let from = 0; from < keys; from += KEYS_AT_ONCE) {
      const range = [TENANT, TOPIC, from, Math.min(keys, from + KEYS_AT_ONCE) - 1, eventsPerKey];
      await client.query(heads, range);
      await client.query(events, range);
    }
    for (const statement of putBack) await client.query(statement);
    // As a store is that has grown slowly.
    for (const statement of ['vacuum analyze key_head', 'vacuum analyze events', 'checkpoint']) await client.query(statement);
  } finally {
    await client.end();
  }
};
