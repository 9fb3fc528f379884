import type { EventData, MarketHint, Sealed } from '@centralita/contracts';
import type { Database, Tx } from '@centralita/event-store';
import type { Flow } from '../outbound.js';
import { Gathered } from './gathered.js';

export type RefusalReason = EventData<'whatsapp.reply.refused.v1'>['reason'];
export type Outcome =
  | { readonly state: 'accepted'; readonly messageRef: string }
  | {
      readonly state: 'refused';
      readonly reason: RefusalReason;
      readonly providerCode: number | null;
      /** When the call was made that was refused; absent where none was made, and in rows that an earlier build decided. */
      readonly at?: string;
    }
  | { readonly state: 'unresolved' };

/** A reply on its way, as whoever holds its lease sees it. */
export type Send = {
  readonly tenantId: string;
  readonly sendId: string;
  readonly replyId: string;
  readonly conversationId: string;
  readonly key: string;
  readonly phoneNumberId: string;
  readonly kind: 'text' | 'template';
  readonly sendBefore: Date;
  readonly sealed: Sealed;
  readonly attempt: number;
  readonly flow: Flow | null;
};
export type Decided = Omit<Send, 'sealed' | 'sendBefore'> & { readonly outcome: Outcome };

const columns = `s.send_id as "sendId", s.reply_id as "replyId", s.conversation_id as "conversationId", s.key,
  s.phone_number_id as "phoneNumberId", s.kind, s.send_before as "sendBefore", s.sealed, s.attempt, s.flow, s.outcome`;

/** Seconds in which a claimed reply must be called; then somebody else may have it. */
const CLAIM_SECONDS = 30;
/** Seconds that whoever decided has to put it on the log. */
const ANNOUNCE_SECONDS = 2;

type Mark = { readonly send: Send; readonly market: MarketHint; readonly callSeconds: number };
type Decision = { readonly send: Send; readonly outcome: Outcome };
/** `from`: the state that a row `s` must be in; `given`: one row `u` for each id; `parameters` start at $3. */
type Step = {
  readonly ids: readonly string[];
  readonly from: string;
  readonly change: string;
  readonly given: string;
  readonly parameters: readonly unknown[];
};

/**
 * The send ledger. Every step is one statement whose condition names the state and the holder it starts from, so a holder that was
 * paused finds out that it has lost the row before it does anything. Steps that every reply takes are made for several at once when
 * they come faster than the database takes them; each row still moves by its own condition.
 */
export class SendLedger {
  #onEnqueued: () => void = () => undefined;
  readonly #marks = new Gathered((tenantId: string, marks: readonly Mark[]) => this.#markAll(tenantId, marks));
  readonly #decisions = new Gathered((tenantId: string, decisions: readonly Decision[]) => this.#decideAll(tenantId, decisions));
  readonly #announcements = new Gathered((tenantId: string, all: readonly Decided[]) => this.#announcedAll(tenantId, all));

  constructor(
    private readonly db: Database,
    /** Name of this process in leases. */
    readonly owner: string,
  ) {}

  /** Told when requests were taken up, in a transaction that may not be committed yet. */
  onEnqueued(listener: () => void): void {
    this.#onEnqueued = listener;
  }

  /** Takes up requests; of one that was rebuilt from the log only the contents were missing. */
  async enqueue(tx: Tx, sends: readonly Omit<Send, 'tenantId' | 'attempt'>[]): Promise<void> {
    if (sends.length === 0) return;
    await tx.execute(
      `insert into send as s
         (tenant_id, send_id, reply_id, conversation_id, key, phone_number_id, kind, send_before, sealed, flow, state)
       select $1, u."sendId", u."replyId", u."conversationId", u.key, u."phoneNumberId", u.kind, u."sendBefore", u.sealed, u.flow, 'waiting'
       from rows from (jsonb_to_recordset($2::jsonb) as ("sendId" uuid, "replyId" uuid, "conversationId" uuid, key uuid,
         "phoneNumberId" text, kind text, "sendBefore" timestamptz, sealed jsonb, flow jsonb)) with ordinality as u
       order by u.ordinality
       on conflict (tenant_id, send_id) do update
         set sealed = excluded.sealed, flow = excluded.flow, send_before = excluded.send_before where s.sealed is null`,
      [tx.tenantId, JSON.stringify([...new Map(sends.map((send) => [send.sendId, send])).values()])],
    );
    this.#onEnqueued();
  }

  /** Takes the head of each (number, customer), at most `limit`: one reply of a pair is under way at a time, in order. */
  async claim(tenantId: string, limit: number): Promise<Send[]> {
    return this.db.withTenant(tenantId, async (tx) => {
      const rows = await tx.query<Omit<Send, 'tenantId'>>(
        `update send s set state = 'claimed', lease_owner = $2, lease_until = now() + make_interval(secs => ${CLAIM_SECONDS})
         where s.tenant_id = $1 and s.send_id = any (array(
           select send_id from send h
           where tenant_id = $1 and not_before <= now() and state in ('waiting', 'claimed', 'attempted')
             and (state = 'waiting' or (state = 'claimed' and lease_until < now()))
             and not exists (
               select from send e where e.tenant_id = h.tenant_id and e.phone_number_id = h.phone_number_id and e.key = h.key
                 and e.seq < h.seq and e.state in ('waiting', 'claimed', 'attempted'))
           order by seq limit $3 for no key update skip locked))
         returning ${columns}`,
        [tenantId, this.owner, limit],
      );
      return rows.map((row) => ({ ...row, tenantId }));
    });
  }

  /** Puts a reply that was not called back, to be tried again in a moment. */
  async release(send: Send, seconds: number): Promise<void> {
    await this.#own(
      send,
      `state = 'waiting', lease_owner = null, not_before = now() + make_interval(secs => $4)`,
      `state = 'claimed'`,
      [seconds],
    );
  }

  /** The one gate to a call. False when the lease was lost: then nobody here may call. */
  async markAttempted(send: Send, market: MarketHint, callSeconds: number): Promise<boolean> {
    return this.#marks.add(send.tenantId, { send, market, callSeconds });
  }

  /** Keeps what was decided until it is on the log. */
  async decide(send: Send, outcome: Outcome): Promise<boolean> {
    return this.#decisions.add(send.tenantId, { send, outcome });
  }

  /** The call gave no answer. A status that was faster has already said what became of it. */
  async markUnknown(send: Send): Promise<void> {
    await this.#own(
      send,
      `state = case when s.message_ref is null then 'unknown' else 'decided' end,
       outcome = case when s.message_ref is not null then jsonb_build_object('state', 'accepted', 'messageRef', s.message_ref) end,
       lease_owner = null, lease_until = null`,
      `state = 'attempted'`,
      [],
    );
  }

  /**
   * A status proves that the provider has a message, whatever the call said, and that a call was made, whatever the row says: a row
   * that would still be called is not called again. Only a refusal stands, and a call under way ends with its own answer.
   */
  async proven(tx: Tx, proofs: readonly { readonly sendId: string; readonly messageRef: string }[]): Promise<void> {
    await tx.execute(
      `with held as (
         select send_id from send where tenant_id = $1 and send_id = any($2::uuid[]) order by send_id for no key update
       )
       update send s
       set message_ref = p.ref,
           state = case when s.state = 'attempted' then s.state else 'decided' end,
           outcome = case when s.state = 'attempted' then s.outcome
                          else jsonb_build_object('state', 'accepted', 'messageRef', p.ref) end
       from held, (select distinct on (id) id, ref from unnest($2::uuid[], $3::text[]) as u(id, ref) order by id) p
       where s.tenant_id = $1 and s.send_id = held.send_id and s.send_id = p.id and s.message_ref is null
         and coalesce(s.outcome ->> 'state', s.state) not in ('refused', 'accepted')`,
      [tx.tenantId, proofs.map(({ sendId }) => sendId), proofs.map(({ messageRef }) => messageRef)],
    );
  }

  /**
   * What time alone decides: a caller that died leaves an unknown call, which is never made again. Whether calls of at least `seconds` ago
   * are unknown then.
   */
  async expire(tenantId: string, seconds: number): Promise<boolean> {
    return this.db.withTenant(tenantId, async (tx) => {
      await tx.execute(
        `update send s
         set state = case when message_ref is null then 'unknown' else 'decided' end,
             outcome = case when message_ref is not null then jsonb_build_object('state', 'accepted', 'messageRef', message_ref) end,
             lease_owner = null, lease_until = null
         where tenant_id = $1 and state = 'attempted' and lease_until < now()`,
        [tenantId],
      );
      const overdue = await tx.query(
        `select from send
         where tenant_id = $1 and state = 'unknown' and attempted_at < now() - make_interval(secs => $2) limit 1`,
        [tenantId, seconds],
      );
      return overdue.length > 0;
    });
  }

  /** An unknown call that nothing proved in the `seconds` after it is unresolved, if all that was said until `heard` is taken up. */
  async giveUp(tenantId: string, seconds: number, heard: Date): Promise<void> {
    await this.db.withTenant(tenantId, (tx) =>
      tx.execute(
        `update send set state = 'decided', outcome = '{"state": "unresolved"}'
         where tenant_id = $1 and state = 'unknown' and attempted_at < $3::timestamptz - make_interval(secs => $2)`,
        [tenantId, seconds, heard],
      ),
    );
  }

  /** Decisions that are not on the log yet. Announcing one twice is harmless: it has one id. */
  async decided(tenantId: string, limit: number): Promise<Decided[]> {
    const rows = await this.db.withTenant(tenantId, (tx) =>
      tx.query<Omit<Decided, 'tenantId'>>(
        `select ${columns} from send s where tenant_id = $1 and state = 'decided' and not_before <= now() order by seq limit $2`,
        [tenantId, limit],
      ),
    );
    return rows.map((row) => ({ ...row, tenantId }));
  }

  async announced(decided: Decided): Promise<void> {
    await this.#announcements.add(decided.tenantId, decided);
  }

  async #markAll(tenantId: string, marks: readonly Mark[]): Promise<boolean[]> {
    return this.#move(tenantId, {
      ids: marks.map(({ send }) => send.sendId),
      from: `s.lease_owner = $3 and s.state = 'claimed' and s.lease_until > now()`,
      change: `state = 'attempted', attempted_at = now(), country = u.country, prefix = u.prefix,
        lease_until = now() + make_interval(secs => u.seconds)`,
      given: 'unnest($2::uuid[], $4::text[], $5::text[], $6::float8[]) as u(id, country, prefix, seconds)',
      parameters: [
        this.owner,
        marks.map(({ market }) => market.country),
        marks.map(({ market }) => market.prefix),
        marks.map(({ callSeconds }) => callSeconds + CLAIM_SECONDS),
      ],
    });
  }

  async #decideAll(tenantId: string, decisions: readonly Decision[]): Promise<boolean[]> {
    return this.#move(tenantId, {
      ids: decisions.map(({ send }) => send.sendId),
      from: `s.lease_owner = $3 and s.state in ('claimed', 'attempted')`,
      // Whoever decided announces at once; others only when that has not happened.
      change: `state = 'decided', outcome = u.outcome, message_ref = coalesce(u.ref, s.message_ref),
        lease_owner = null, lease_until = null, not_before = now() + make_interval(secs => ${ANNOUNCE_SECONDS})`,
      given: 'unnest($2::uuid[], $4::jsonb[], $5::text[]) as u(id, outcome, ref)',
      parameters: [
        this.owner,
        decisions.map(({ outcome }) => JSON.stringify(outcome)),
        decisions.map(({ outcome }) => (outcome.state === 'accepted' ? outcome.messageRef : null)),
      ],
    });
  }

  async #announcedAll(tenantId: string, all: readonly Decided[]): Promise<boolean[]> {
    return this.#move(tenantId, {
      ids: all.map(({ sendId }) => sendId),
      // A late status may have decided anew since; that decision is announced on its own.
      from: `s.state = 'decided' and (s.send_id, s.outcome ->> 'state') in (select * from unnest($2::uuid[], $3::text[]))`,
      change: `state = s.outcome ->> 'state'`,
      given: 'unnest($2::uuid[]) as u(id)',
      parameters: [all.map(({ outcome }) => outcome.state)],
    });
  }

  /**
   * One step of several rows, locked in the order in which others lock them too. Whether each was in the state that it starts from; of
   * an id that is there twice only the first was, as it would be one after the other.
   */
  async #move(tenantId: string, { ids, from, change, given, parameters }: Step): Promise<boolean[]> {
    const rows = await this.db.withTenant(tenantId, (tx) =>
      tx.query<{ id: string }>(
        `with held as (
           select s.send_id from send s where s.tenant_id = $1 and s.send_id = any($2::uuid[]) and ${from}
           order by s.send_id for no key update
         )
         update send s set ${change} from held, ${given}
         where s.tenant_id = $1 and s.send_id = held.send_id and u.id = s.send_id and ${from}
         returning s.send_id as id`,
        [tenantId, ids, ...parameters],
      ),
    );
    const moved = new Set(rows.map(({ id }) => id));
    return ids.map((id) => moved.delete(id));
  }

  /** One step of a row that this process holds; `parameters` start at $4. False when it holds it no more. */
  async #own(send: Send, change: string, condition: string, parameters: readonly unknown[]): Promise<boolean> {
    const touched = await this.db.withTenant(send.tenantId, (tx) =>
      tx.execute(
        `update send s set ${change} where s.tenant_id = $1 and s.send_id = $2 and s.lease_owner = $3 and ${condition}`,
        [send.tenantId, send.sendId, this.owner, ...parameters],
      ),
    );
    return touched === 1;
  }
}
