import { withClient } from '@centralita/testing-engines';
import type { Client } from 'pg';
import type { StartContext } from '@centralita/tool-start';

/** Databases whose services consume the log. */
export const observed = ['ingest', 'conversation', 'routing', 'billing', 'audit_log'] as const;
export type Observed = (typeof observed)[number];

export type Moved = {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
};
/** Of a consumer group; times of the database's clock, in milliseconds. `to` is null while the key is parked. */
export type Parked = { readonly service: string; readonly key: string; readonly from: number; readonly to: number | null };
export type Written = { readonly scope: string; readonly position: number; readonly epoch: number };

/**
 * Notes, inside of each service's database and in its own transactions, what its tables do not keep: every move of a consumer's offset,
 * when a key was parked and freed, and the epoch under which each position of a leased order was written. The services know nothing of it.
 */
export const instrument = async (context: StartContext): Promise<void> => {
  for (const name of observed) await instrumentDatabase(context.databases[name].adminUrl);
};

/** The same in one database, for one that is made later. */
export const instrumentDatabase = (adminUrl: string): Promise<void> =>
  withClient(adminUrl, async (client) => {
    await client.query(`
        create schema observed;
        create table observed.move (seq bigint generated always as identity, group_id text, topic text, partition int, from_offset bigint, to_offset bigint);
        create table observed.written (scope text, position bigint, epoch bigint);
        create function observed.note_move() returns trigger language plpgsql security definer set search_path = observed, public as $$
        begin
          insert into observed.move (group_id, topic, partition, from_offset, to_offset)
            values (new.group_id, new.topic, new.partition, old.next_offset, new.next_offset);
          return null;
        end $$;
        create trigger note_move after update of next_offset on public.consumer_offset
          for each row when (old.next_offset is distinct from new.next_offset) execute function observed.note_move();
        -- Seeding was applied before: what comes now continues it. The trigger holds writers off until this is committed.
        insert into observed.move (group_id, topic, partition, from_offset, to_offset)
          select group_id, topic, partition, 0, next_offset from public.consumer_offset where next_offset > 0;
        create table observed.parked (seq bigint generated always as identity, group_id text, key text, since timestamptz, until timestamptz);
        create function observed.note_parked() returns trigger language plpgsql security definer set search_path = observed, public as $$
        begin
          if tg_op = 'INSERT' then
            insert into observed.parked (group_id, key, since) values (new.group_id, new.key, clock_timestamp());
          else
            -- Not the present instant: what the same transaction applied was applied because an operator said so.
            update observed.parked set until = now() where group_id = old.group_id and key = old.key and until is null;
          end if;
          return null;
        end $$;
        create trigger note_parked after insert or delete on public.parked_key for each row execute function observed.note_parked();
        create function observed.note_written() returns trigger language plpgsql security definer set search_path = observed, public as $$
        begin
          insert into observed.written (scope, position, epoch)
            select new.tenant_id || ' ' || new.domain_id, new.domain_seq, d.epoch
              from public.domain_head d where d.tenant_id = new.tenant_id and d.domain_id = new.domain_id;
          return null;
        end $$;
        create trigger note_written after insert on public.events
          for each row when (new.domain_id is not null) execute function observed.note_written();`);
  });

/** What was noted since `instrument`. */
export const readInstruments = async (
  context: StartContext,
): Promise<{ readonly moves: readonly Moved[]; readonly written: readonly Written[]; readonly parkings: readonly Parked[] }> => {
  const [moves, written, parkings]: [Moved[], Written[], Parked[]] = [[], [], []];
  for (const name of observed)
    await withAdmin(context, name, async (client) => {
      const moved = await client.query<{
        group_id: string;
        topic: string;
        partition: number;
        from_offset: string;
        to_offset: string;
      }>('select group_id, topic, partition, from_offset, to_offset from observed.move order by seq');
      for (const row of moved.rows)
        moves.push({
          service: row.group_id,
          topic: row.topic,
          partition: row.partition,
          from: Number(row.from_offset),
          to: Number(row.to_offset),
        });
      const rows = await client.query<{ scope: string; position: string; epoch: string }>(
        'select scope, position, epoch from observed.written',
      );
      for (const row of rows.rows)
        written.push({ scope: `${name} ${row.scope}`, position: Number(row.position), epoch: Number(row.epoch) });
      const parked = await client.query<{ group_id: string; key: string; since: Date; until: Date | null }>(
        'select group_id, key, since, until from observed.parked order by seq',
      );
      for (const { group_id, key, since, until } of parked.rows)
        parkings.push({ service: group_id, key, from: since.getTime(), to: until?.getTime() ?? null });
    });
  return { moves, written, parkings };
};

export const withAdmin = <Result>(
  context: StartContext,
  name: Observed,
  work: (client: Client) => Promise<Result>,
): Promise<Result> => withClient(context.databases[name].adminUrl, work);
