import { PlatformError, type Topic } from '@centralita/contracts';
import { decide, nextDeadline, type RoutingEvent, type RoutingFact, type RoutingState } from '@centralita/domain-routing';
import {
  inOneTrip,
  toBigInt,
  type Appended,
  type DomainLease,
  type EventStore,
  type Part,
  type Tx,
} from '@centralita/event-store';
import { derivedIds } from '../ids.js';
import { DONE_CHANNEL, donePayload, type Input, type InputResult, type PendingInput } from '../inputs/input-table.js';
import { projection, type Placed } from '../read/project.js';
import { toNewEvent } from './envelope.js';
import type { Loaded } from './load.js';

const TOPIC: Topic = 'routing.events.v1';

type Taken = {
  readonly input: Input;
  readonly fact: RoutingFact;
  readonly refusal: InputResult['refusal'];
  readonly events: readonly RoutingEvent[];
};

/**
 * Decides a run of inputs, and with the last of them (`drained`) the deadlines that have passed by `now`, in one transaction:
 * 1. number and decide input by input, in memory; what came before a deadline is decided as before it, however late it is taken, and
 *    what follows from it happens now (see `RoutingInput`);
 * 2. append all events with their positions, which locks the domain and checks the epoch: a writer that was replaced stops here
 *    (STALE_EPOCH), also when its inputs make no events; so does one whose memory is not at the end of the domain (INTERNAL);
 * 3. results, progress, tables for queries, and a word to those who wait, in one statement. Any failure takes back all of it.
 */
export const takeInputs = async (
  tx: Tx,
  store: EventStore,
  lease: DomainLease,
  loaded: Loaded,
  pending: readonly PendingInput[],
  drained: boolean,
  now: number,
): Promise<{ loaded: Loaded; taken: readonly Input[] }> => {
  const derive = derivedIds(tx.tenantId);
  const taken: Taken[] = [];
  let { state, inputSeq, receivedAt, at } = loaded;
  const take = async (input: PendingInput): Promise<void> => {
    inputSeq += 1n;
    receivedAt = Math.max(receivedAt, input.receivedAt);
    at = Math.max(at, receivedAt, now);
    const fact = await completed(tx, state, input.fact);
    const decision = decide(state, { ...fact, receivedAt, at }, derive);
    taken.push({ input: { ...input, receivedAt, seq: inputSeq, at }, fact, refusal: decision.refusal, events: decision.events });
    state = decision.state;
  };
  for (const input of pending) await take(input);
  const deadline = nextDeadline(state, loaded.at);
  if (drained && deadline !== null && deadline <= now) await take(timer(inputSeq, now));

  const events = taken.flatMap((one) => one.events.map((event) => toNewEvent(tx.tenantId, event, one.input)));
  const appended = await store.append(tx, TOPIC, events, lease);
  if (appended[0]) mustFollow(loaded.state, (appended[0].domainSeq as bigint) - 1n);
  else await lockDomain(tx, lease, loaded.state);
  const placed = taken
    .flatMap((one) => one.events)
    .map((event, index): Placed => {
      const { streamId, streamVersion, domainSeq } = appended[index] as Appended;
      return { event, streamId, streamVersion, domainSeq: domainSeq as bigint };
    });
  const inputs = taken.map(({ input }) => input);
  inOneTrip(tx, [
    ...projection(tx.tenantId, loaded.state, placed, state),
    ...results(lease, taken, appended, state),
    { sql: 'select pg_notify($2, $3)', values: [DONE_CHANNEL, donePayload(inputs)] },
  ]);
  return { loaded: { state, inputSeq, receivedAt, at }, taken: inputs };
};

/** The passing of time as an input. One takes care of every deadline until then. */
const timer = (after: bigint, now: number): PendingInput => ({
  arrival: null,
  inputId: `timer:${after + 1n}`,
  fact: { kind: 'timer' },
  origin: { causationId: null, correlationId: null, cause: null },
  receivedAt: now,
});

const lockDomain = async (tx: Tx, lease: DomainLease, state: RoutingState): Promise<void> => {
  const [head] = await tx.query<{ epoch: string; last_seq: string }>(
    `select epoch, last_seq from domain_head where tenant_id = $1 and domain_id = $2 for update`,
    [tx.tenantId, lease.id],
  );
  if (!head || toBigInt(head.epoch) !== lease.epoch)
    throw new PlatformError('STALE_EPOCH', 'another writer has taken over the routing domain');
  mustFollow(state, toBigInt(head.last_seq));
};

const mustFollow = (state: RoutingState, lastSeq: bigint): void => {
  if (lastSeq !== BigInt(state.position))
    throw new PlatformError('INTERNAL', 'the state in memory is not at the end of its domain', {
      position: state.position,
      lastSeq: lastSeq.toString(),
    });
};

/** A definition of a queue may take in tasks that wait without one; their numbers become part of the input, so that it can be decided again. */
const completed = async (tx: Tx, state: RoutingState, fact: RoutingFact): Promise<RoutingFact> => {
  if (fact.kind !== 'queue.defined') return fact;
  const unserved = [...state.tasks.values()].filter((task) => task.queueId === null).map((task) => task.conversationId);
  const rows = await tx.query<{ conversation_id: string; phone_number_id: string }>(
    `select conversation_id, phone_number_id from conversation_fact where tenant_id = $1 and conversation_id = any ($2)`,
    [tx.tenantId, unserved],
  );
  return { ...fact, unserved: Object.fromEntries(rows.map((row) => [row.conversation_id, row.phone_number_id])) };
};

/** What became of each input, and how far the domain has come. */
const results = (lease: DomainLease, taken: readonly Taken[], appended: readonly Appended[], after: RoutingState): Part[] => {
  let from = 0;
  const made = taken.map(({ refusal, events }): InputResult => {
    const own = appended.slice(from, (from += events.length));
    return {
      refusal,
      events: own.length,
      versions: Object.fromEntries(own.map(({ streamId, streamVersion }) => [streamId, streamVersion.toString()])),
      heads: Object.fromEntries(own.map(({ streamId, key, keyVersion }) => [streamId, { key, version: keyVersion.toString() }])),
    };
  });
  const last = taken.at(-1)?.input;
  const numbered = taken.map((one, index) => ({ ...one, result: JSON.stringify(made[index]) }));
  const waiting = numbered.filter(({ input }) => input.arrival !== null);
  const timers = numbered.filter(({ input }) => input.arrival === null);
  return [
    {
      sql: `update domain_input i set received_at = u.received_at, seq = u.seq, at = u.at, result = u.result, fact = u.fact
         from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::jsonb[], $8::jsonb[])
              as u(arrival, received_at, seq, at, result, fact)
        where i.tenant_id = $1 and i.domain_id = $2 and i.arrival = any ($3) and i.arrival = u.arrival`,
      values: [
        lease.id,
        waiting.map(({ input }) => input.arrival?.toString()),
        waiting.map(({ input }) => input.receivedAt),
        waiting.map(({ input }) => input.seq.toString()),
        waiting.map(({ input }) => input.at),
        waiting.map(({ result }) => result),
        waiting.map(({ fact }) => JSON.stringify(fact)),
      ],
    },
    {
      sql: `insert into domain_input (tenant_id, domain_id, input_id, fact, origin, received_at, seq, at, result)
        select $1, $2, * from unnest($3::text[], $4::jsonb[], $5::jsonb[], $6::bigint[], $7::bigint[], $8::bigint[], $9::jsonb[])`,
      values: [
        lease.id,
        timers.map(({ input }) => input.inputId),
        timers.map(({ fact }) => JSON.stringify(fact)),
        timers.map(({ input }) => JSON.stringify(input.origin)),
        timers.map(({ input }) => input.receivedAt),
        timers.map(({ input }) => input.seq.toString()),
        timers.map(({ input }) => input.at),
        timers.map(({ result }) => result),
      ],
    },
    {
      sql: `insert into domain_progress (tenant_id, domain_id, input_seq, input_at, domain_seq) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, domain_id) do update
         set input_seq = excluded.input_seq, input_at = excluded.input_at, domain_seq = excluded.domain_seq`,
      values: [lease.id, last?.seq.toString(), last?.at, after.position.toString()],
    },
  ];
};
