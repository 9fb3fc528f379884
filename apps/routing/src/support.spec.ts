import { randomUUID } from 'node:crypto';
import { decide, initialState, type RoutingEvent, type RoutingFact, type RoutingState } from '@centralita/domain-routing';
import { createDataSource, Database, EventStore, type RecordedEvent } from '@centralita/event-store';
import { createLogger } from '@centralita/platform-nest';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { expect } from '@jest/globals';
import pg from 'pg';
import { derivedIds, domainOf } from './ids.js';
import { insertInputs, resultOf, takenInputs, type InputResult } from './inputs/input-table.js';
import { Signals } from './inputs/signals.js';
import { routingService } from './service.js';
import { DomainWriter } from './writer/domain-writer.js';

export const silent = createLogger({ service: 'routing', level: 'silent' });

/** A migrated database of routing, seen by the application role, without any process on it. */
export class Ground {
  readonly store = new EventStore({ service: 'routing' });
  readonly #ends: (() => Promise<void>)[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly db: Database,
    /** Superuser, for what a test must see or break behind row-level security. */
    readonly admin: pg.Pool,
    readonly signals: Signals,
  ) {}

  static async prepare(): Promise<Ground> {
    const database = await createTestDatabase({ service: 'routing' });
    const { migrations } = routingService;
    const owner = new Database(createDataSource({ url: database.ownerUrl, poolSize: 1, migrations }));
    await owner.migrate();
    await owner.close();
    const signals = new Signals(database.appUrl, silent);
    await signals.start();
    const db = new Database(createDataSource({ url: database.appUrl, poolSize: 20 }));
    const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
    admin.on('error', () => undefined);
    return new Ground(database, db, admin, signals);
  }

  /** A writer with a lease of its own, as another process would run it. */
  startWriter(
    tenantId: string,
    options: { leaseMs?: number; lookMs?: number; snapshotEvery?: number } = {},
  ): { holder: string; done: Promise<void>; stop(): Promise<void> } {
    const holder = randomUUID();
    const stopped = new AbortController();
    const { db, store, signals } = this;
    const writer = new DomainWriter(
      {
        db,
        store,
        signals,
        logger: silent,
        holder,
        leaseMs: options.leaseMs ?? 5_000,
        ...(options.lookMs ? { lookMs: options.lookMs } : {}),
        ...(options.snapshotEvery ? { snapshotEvery: options.snapshotEvery } : {}),
      },
      tenantId,
    );
    const done = writer.run(stopped.signal);
    const stop = async (): Promise<void> => {
      stopped.abort();
      await done;
    };
    this.#ends.push(stop);
    return { holder, done, stop };
  }

  async end(): Promise<void> {
    for (const end of this.#ends) await end();
    await this.signals.stop();
    await this.db.close();
    await this.admin.end();
    await this.database.drop();
  }
}

/** One tenant's routing domain, spoken to by its input table. */
export class Domain {
  readonly tenantId = randomUUID();

  constructor(readonly ground: Ground) {}

  async insert(...facts: RoutingFact[]): Promise<bigint[]> {
    const origin = { causationId: null, correlationId: null, cause: null };
    return this.ground.db.withTenant(this.tenantId, (tx) =>
      insertInputs(
        tx,
        facts.map((fact) => ({ inputId: `test:${randomUUID()}`, fact, origin })),
      ),
    );
  }

  async result(arrival: bigint): Promise<InputResult> {
    const { db } = this.ground;
    return until(() => db.withTenant(this.tenantId, (tx) => resultOf(tx, arrival)), {
      describe: `the result of input ${arrival}`,
    });
  }

  async send(fact: RoutingFact): Promise<InputResult> {
    const [seq] = await this.insert(fact);
    return this.result(seq as bigint);
  }

  async define(options: { agents: number; capacity?: number; offerTimeoutMs?: number; wrapUpMs?: number }): Promise<string[]> {
    const queueId = randomUUID();
    const agentIds = Array.from({ length: options.agents }, () => randomUUID());
    const seqs = await this.insert(
      {
        kind: 'policy.published',
        policy: {
          selection: 'longest-idle',
          offerTimeoutMs: options.offerTimeoutMs ?? 30_000,
          wrapUpMs: options.wrapUpMs ?? 0,
          closingWindowMs: 7_200_000,
          awayAfterMissedOffers: null,
        },
      },
      {
        kind: 'queue.defined',
        unserved: {},
        queue: {
          queueId,
          name: 'Front desk',
          phoneNumberIds: ['100'],
          requiredSkills: [],
          languageSkill: false,
          relaxLanguageAfterMs: null,
          priority: 0,
        },
      },
      ...agentIds.flatMap((agentId, index): RoutingFact[] => [
        {
          kind: 'agent.defined',
          agent: { agentId, label: `Agent ${index + 1}`, skills: [], queueIds: [queueId], capacity: options.capacity ?? 1 },
        },
        { kind: 'presence.set', agentId, presence: 'online', cause: 'agent' },
      ]),
    );
    await this.result(seqs.at(-1) as bigint);
    return agentIds;
  }

  opened(conversationId: string = randomUUID(), phoneNumberId = '100'): RoutingFact {
    const subjectId = randomUUID();
    return { kind: 'conversation.opened', conversationId, subjectId, phoneNumberId, language: null, windowExpiresAt: null };
  }

  async events(): Promise<RecordedEvent[]> {
    const { db, store } = this.ground;
    return db.withTenant(this.tenantId, (tx) => store.readDomain(tx, domainOf(this.tenantId), 1n, 1_000_000));
  }

  /** The recorded inputs, decided once more from nothing: must give exactly the recorded events, position by position. */
  async expectDecidedAgain(): Promise<RoutingState> {
    const recorded = await this.events();
    expect(recorded.map((event) => event.domainSeq)).toEqual(recorded.map((_, index) => BigInt(index + 1)));
    const inputs = await this.ground.db.withTenant(this.tenantId, (tx) => takenInputs(tx, 0n, 1_000_000));
    let state = initialState;
    const again: RoutingEvent[] = [];
    for (const { fact, receivedAt, at } of inputs) {
      const decision = decide(state, { ...fact, receivedAt, at }, derivedIds(this.tenantId));
      again.push(...decision.events);
      state = decision.state;
    }
    expect(JSON.parse(JSON.stringify(again))).toEqual(recorded.map(({ type, data }) => ({ type, data })));
    return state;
  }

  /** Rows of a table of this tenant, without the tenant, in a fixed order. */
  async rows(table: string): Promise<unknown[]> {
    const { rows } = await this.ground.admin.query<{ row: unknown }>(
      `select to_jsonb(t) - 'tenant_id' as row from ${table} t where tenant_id = $1 order by 1`,
      [this.tenantId],
    );
    return rows.map(({ row }) => row);
  }
}

/** An offer that is open now, from the tables for queries. */
export const openOffers = async (domain: Domain): Promise<{ reservationId: string; agentId: string; taskId: string }[]> => {
  const { rows } = await domain.ground.admin.query<{ reservationId: string; agentId: string; taskId: string }>(
    `select state -> 'phase' ->> 'reservationId' as "reservationId", agent_id as "agentId", task_id as "taskId"
       from task where tenant_id = $1 and phase = 'offered' order by 1`,
    [domain.tenantId],
  );
  return rows;
};

/** Takes all open offers. */
export const accept = async (domain: Domain): Promise<void> => {
  for (const { reservationId, agentId } of await openOffers(domain))
    await domain.insert({ kind: 'offer.accepted', reservationId, agentId });
};
