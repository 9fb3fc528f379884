import type { Cause } from '@centralita/contracts';
import type { RoutingFact } from '@centralita/domain-routing';
import { toBigInt, type Tx } from '@centralita/event-store';
import { domainOf } from '../ids.js';

/** Where an input comes from: goes into the envelope of the events that it makes. */
export type Origin = {
  readonly causationId: string | null;
  readonly correlationId: string | null;
  /** The record on the log, for inputs that are events of another service. */
  readonly cause: Cause | null;
  /** Trace of whoever handed it in. */
  readonly traceparent?: string | undefined;
};

export type NewInput = {
  /** The same input is taken once, however often it is inserted. */
  readonly inputId: string;
  readonly fact: RoutingFact;
  readonly origin: Origin;
};

/** An input that no writer has taken yet. A deadline has no arrival: it gets its row when it is taken. */
export type PendingInput = NewInput & { readonly arrival: bigint | null; readonly receivedAt: number };

/** An input with its place in the order of the domain. */
export type Input = PendingInput & {
  readonly seq: bigint;
  /** When it was decided, the time of its events: milliseconds since the epoch, never before that of the input before. */
  readonly at: number;
};

/** What the writer made of an input. */
export type InputResult = {
  readonly refusal: { readonly code: string; readonly reason: string } | null;
  /** Events that it made. */
  readonly events: number;
  /** Newest version that it gave to each stream. */
  readonly versions: Readonly<Record<string, string>>;
  /**
   * Key and newest version of that key for each stream, for causal tokens. An input also makes events of others, before (whose time had
   * passed) and after (who get what became free). Absent in rows of older versions.
   */
  readonly heads?: Readonly<Record<string, { readonly key: string; readonly version: string }>>;
};

export const INPUT_CHANNEL = 'routing_input';
export const DONE_CHANNEL = 'routing_done';

export const arrivalName = (arrival: bigint): string => arrival.toString(36);
/** Names the inputs that a transaction has taken; a hundred of them stay far below the 8,000 bytes that a notification may have. */
export const donePayload = (inputs: readonly Pick<Input, 'arrival'>[]): string =>
  inputs.flatMap(({ arrival }) => (arrival === null ? [] : [arrivalName(arrival)])).join(' ');
export const arrivalsIn = (payload: string): string[] => payload.split(' ');

/**
 * Hands inputs to the domain's writer, which takes them in this order. Returns how each is found again; of an input that was there
 * already, the first one.
 */
export const insertInputs = async (tx: Tx, inputs: readonly NewInput[]): Promise<bigint[]> => {
  if (inputs.length === 0) return [];
  const rows = await tx.query<{ input_id: string; arrival: string }>(
    `with known as (
       insert into routing_domain (tenant_id, domain_id) values ($1, $2) on conflict do nothing
     ), given as (
       select * from unnest($3::text[], $4::jsonb[], $5::jsonb[]) with ordinality as u(input_id, fact, origin, place)
     ), inserted as (
       insert into domain_input (tenant_id, domain_id, input_id, fact, origin, received_at)
       select $1, $2, input_id, fact, origin, ceil(extract(epoch from clock_timestamp()) * 1000) from given order by place
       on conflict (tenant_id, domain_id, input_id) do nothing
       returning input_id, arrival
     ), told as (
       select pg_notify($6, $1::text)
     )
     select input_id, arrival from inserted, told
     union all
     select i.input_id, i.arrival from given g cross join lateral (
       select i.input_id, i.arrival from domain_input i
        where i.tenant_id = $1 and i.domain_id = $2 and i.input_id = g.input_id limit 1) i`,
    [
      tx.tenantId,
      domainOf(tx.tenantId),
      inputs.map(({ inputId }) => inputId),
      inputs.map(({ fact }) => JSON.stringify(fact)),
      inputs.map(({ origin }) => JSON.stringify(origin)),
      INPUT_CHANNEL,
    ],
  );
  const arrivals = new Map(rows.map((row) => [row.input_id, toBigInt(row.arrival)]));
  return inputs.map(({ inputId }) => arrivals.get(inputId) as bigint);
};

type InputRow = {
  arrival: string;
  input_id: string;
  fact: RoutingFact;
  origin: Origin;
  received_at: string;
  seq: string | null;
  at: string | null;
};

const pendingOf = (row: InputRow): PendingInput => ({
  arrival: toBigInt(row.arrival),
  inputId: row.input_id,
  fact: row.fact,
  origin: row.origin,
  receivedAt: Number(row.received_at),
});

/** What no writer has taken yet, the oldest first. */
export const pendingInputs = async (tx: Tx, limit: number): Promise<PendingInput[]> => {
  const rows = await tx.query<InputRow>(
    `select * from domain_input where tenant_id = $1 and domain_id = $2 and seq is null order by arrival limit $3`,
    [tx.tenantId, domainOf(tx.tenantId), limit],
  );
  return rows.map(pendingOf);
};

/** What was taken, in the order of the domain: enough to decide all of it again. */
export const takenInputs = async (tx: Tx, after: bigint, limit: number): Promise<Input[]> => {
  const rows = await tx.query<InputRow>(
    `select * from domain_input where tenant_id = $1 and domain_id = $2 and seq > $3 order by seq limit $4`,
    [tx.tenantId, domainOf(tx.tenantId), after, limit],
  );
  return rows.map((row) => ({ ...pendingOf(row), seq: toBigInt(row.seq), at: Number(row.at) }));
};

/** The result of an input; null while no writer has taken it. */
export const resultOf = async (tx: Tx, arrival: bigint): Promise<InputResult | null> => {
  const [row] = await tx.query<{ result: InputResult | null }>(
    `select result from domain_input where tenant_id = $1 and domain_id = $2 and arrival = $3`,
    [tx.tenantId, domainOf(tx.tenantId), arrival],
  );
  return row?.result ?? null;
};

/** How long what was taken stays to be asked for: longer than a repeated command gets its first result. What it made are events, for ever. */
const KEPT_DAYS = 9;

/** Removes inputs that nobody can ask for any more, the oldest first; never the newest one taken. Returns how many. */
export const sweepInputs = (tx: Tx, limit: number): Promise<number> =>
  tx.execute(
    `delete from domain_input where tenant_id = $1 and domain_id = $2 and arrival = any (array(
       select o.arrival from (
         select i.arrival, i.received_at from domain_input i
          where i.tenant_id = $1 and i.domain_id = $2 and i.seq < (
              select p.input_seq from domain_progress p where p.tenant_id = $1 and p.domain_id = $2)
          order by i.seq limit $3) o
        where o.received_at < extract(epoch from clock_timestamp() - interval '${KEPT_DAYS} days') * 1000))`,
    [tx.tenantId, domainOf(tx.tenantId), limit],
  );
