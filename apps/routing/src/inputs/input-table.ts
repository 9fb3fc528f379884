import type { RoutingFact } from '@centralita/domain-routing';
import { toBigInt, type Tx } from '@centralita/event-store';
import type { Cause } from '@centralita/contracts';
import { domainOf } from '../ids.js';

/** Where an input comes from: goes into the envelope of the events that it makes. */
export type Origin = {
  readonly causationId: string | null;
  readonly correlationId: string | null;
  /** The record on the log, for inputs that are events of another service. */
  readonly cause: Cause | null;
};

export type NewInput = {
  /** The same input is taken once, however often it is inserted. */
  readonly inputId: string;
  readonly fact: RoutingFact;
  readonly origin: Origin;
  /** Earliest time that the input counts as having come; for timers their deadline, else now. Milliseconds since the epoch. */
  readonly notBefore?: number;
};

export type Input = {
  readonly seq: bigint;
  readonly inputId: string;
  readonly fact: RoutingFact;
  readonly origin: Origin;
  readonly at: number;
};

/** What the writer made of an input. */
export type InputResult = {
  readonly refusal: { readonly code: string; readonly reason: string } | null;
  /** Events that it made. */
  readonly events: number;
  /** Newest version that it gave to each stream. */
  readonly versions: Readonly<Record<string, string>>;
  /** Key and version of its last event, for the causal token. */
  readonly last: { readonly key: string; readonly version: string } | null;
};

export const INPUT_CHANNEL = 'routing_input';
export const DONE_CHANNEL = 'routing_done';

/**
 * Puts inputs at the end of the domain, in this order. The lock of the domain's head is held until the transaction ends, so this is
 * the last thing that a transaction does. Returns the position of each, of an input that was there already its old one.
 */
export const insertInputs = async (tx: Tx, inputs: readonly NewInput[]): Promise<bigint[]> => {
  if (inputs.length === 0) return [];
  const domainId = domainOf(tx.tenantId);
  await tx.execute(`insert into routing_domain (tenant_id, domain_id) values ($1, $2) on conflict do nothing`, [
    tx.tenantId,
    domainId,
  ]);
  const timer = inputs.length === 1 ? inputs[0]?.notBefore : undefined;
  // Milliseconds rounded up: a deadline that was reached is not judged as not quite reached.
  const [head] = await tx.query<{ last_seq: string; last_at: string }>(
    `insert into domain_input_head as h (tenant_id, domain_id, last_seq, last_at)
     values ($1, $2, $3, coalesce($4::bigint, ceil(extract(epoch from clock_timestamp()) * 1000)))
     on conflict (tenant_id, domain_id) do update
       set last_seq = h.last_seq + excluded.last_seq, last_at = greatest(h.last_at, excluded.last_at)
     returning last_seq, last_at`,
    [tx.tenantId, domainId, inputs.length, timer ?? null],
  );
  const first = toBigInt(head?.last_seq) - BigInt(inputs.length) + 1n;
  const rows = await tx.query<{ input_id: string; seq: string }>(
    `with given as (
       select u.input_id, u.fact, u.origin, $3::bigint + u.place - 1 as seq
         from unnest($4::text[], $5::jsonb[], $6::jsonb[]) with ordinality as u(input_id, fact, origin, place)
     ), inserted as (
       insert into domain_input (tenant_id, domain_id, seq, input_id, fact, origin, at)
       select $1, $2, seq, input_id, fact, origin, $7 from given order by seq
       on conflict (tenant_id, domain_id, input_id) do nothing
       returning input_id, seq
     )
     select input_id, seq from inserted
     union all
     select i.input_id, i.seq from domain_input i
      where i.tenant_id = $1 and i.domain_id = $2 and i.input_id = any ($4)`,
    [
      tx.tenantId,
      domainId,
      first,
      inputs.map(({ inputId }) => inputId),
      inputs.map(({ fact }) => JSON.stringify(fact)),
      inputs.map(({ origin }) => JSON.stringify(origin)),
      head?.last_at,
    ],
  );
  await tx.execute(`select pg_notify($1, $2)`, [INPUT_CHANNEL, tx.tenantId]);
  const positions = new Map(rows.map((row) => [row.input_id, toBigInt(row.seq)]));
  return inputs.map(({ inputId }) => positions.get(inputId) as bigint);
};

type InputRow = { seq: string; input_id: string; fact: RoutingFact; origin: Origin; at: string };

/** Inputs after a position, in their order. */
export const readInputs = async (tx: Tx, after: bigint, limit: number): Promise<Input[]> => {
  const rows = await tx.query<InputRow>(
    `select seq, input_id, fact, origin, at from domain_input
      where tenant_id = $1 and domain_id = $2 and seq > $3 order by seq limit $4`,
    [tx.tenantId, domainOf(tx.tenantId), after, limit],
  );
  return rows.map((row) => ({
    seq: toBigInt(row.seq),
    inputId: row.input_id,
    fact: row.fact,
    origin: row.origin,
    at: Number(row.at),
  }));
};

/** The result of an input; null while no writer has taken it. */
export const resultOf = async (tx: Tx, seq: bigint): Promise<InputResult | null> => {
  const [row] = await tx.query<{ result: InputResult | null }>(
    `select result from domain_input where tenant_id = $1 and domain_id = $2 and seq = $3`,
    [tx.tenantId, domainOf(tx.tenantId), seq],
  );
  return row?.result ?? null;
};
