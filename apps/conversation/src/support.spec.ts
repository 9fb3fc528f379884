import { randomUUID } from 'node:crypto';
import { isType, type CloudEvent, type EventData, type EventType, type Topic } from '@centralita/contracts';
import { createMemoryLog, eventRecord, type MemoryLog } from '@centralita/event-log';
import { Keyring, type References } from '@centralita/keyring';
import { startTestService, type TestActor, type TestAnswer, type TestService } from '@centralita/platform-nest/testing';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import pg from 'pg';
import type { ConversationConfig } from './config.js';
import { conversationIdOf } from './ids.js';
import { conversationService } from './service.js';
import { cloudEvent, type Customer, type MessageOptions } from './support-events.spec.js';

export type { Customer } from './support-events.spec.js';

export const HOUR = 3_600_000;
export const NUMBER = '100200300';

/** The service in this process on a log in memory and databases of its own, and the rest of the platform as its events. */
export class TestPlatform {
  readonly tenantId = randomUUID();
  readonly queueId = randomUUID();
  #references: References | undefined;
  readonly #versions = new Map<string, number>();

  private constructor(
    readonly service: TestService<ConversationConfig>,
    readonly log: MemoryLog,
    readonly keyring: Keyring,
    readonly sql: pg.Pool,
    private readonly databases: readonly TestDatabase[],
    private readonly clock: { offset: number },
  ) {}

  static async start(): Promise<TestPlatform> {
    const [database, keys] = await Promise.all([
      createTestDatabase({ service: 'conversation' }),
      createTestDatabase({ service: 'keyring' }),
    ]);
    const log = createMemoryLog();
    const clock = { offset: 0 };
    const service = await startTestService({
      ...conversationService,
      database,
      keyring: keys,
      log,
      clock: () => new Date(Date.now() + clock.offset),
    });
    const keyring = await Keyring.open({ databaseUrl: keys.appUrl, masterKey: service.masterKey });
    const sql = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
    sql.on('error', () => undefined);
    return new TestPlatform(service, log, keyring, sql, [database, keys], clock);
  }

  async stop(): Promise<void> {
    await this.service.close();
    await Promise.all([this.keyring.close(), this.sql.end(), this.log.close()]);
    for (const database of this.databases) await database.drop();
  }

  now(): Date {
    return new Date(Date.now() + this.clock.offset);
  }

  /** Runs work while the service's clock is ahead. */
  async later<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
    this.clock.offset += milliseconds;
    try {
      return await work();
    } finally {
      this.clock.offset -= milliseconds;
    }
  }

  async ref(wamid: string): Promise<string> {
    this.#references ??= await this.keyring.references(this.tenantId);
    return this.#references.messageRef(NUMBER, wamid);
  }

  async customer(name = 'Canary Quetzal'): Promise<Customer> {
    const subjectId = randomUUID();
    await this.keyring.ensureSubjects(this.tenantId, [subjectId]);
    return { subjectId, phone: `34600${String(Math.floor(Math.random() * 1e6)).padStart(6, '0')}`, name };
  }

  /** Puts an event on the log as its producer would. */
  async publish<Type extends EventType>(
    topic: Topic,
    type: Type,
    key: string,
    data: EventData<Type>,
    more: Partial<CloudEvent> = {},
  ): Promise<CloudEvent> {
    const event = cloudEvent(this.tenantId, this.now(), type, key, data, more);
    await this.log.append([eventRecord({ topic, key, value: Buffer.from(JSON.stringify(event)) })]);
    return event;
  }

  async envelope(customer: Customer, item: object): Promise<EventData<'whatsapp.message.received.v1'>['sealed']> {
    const contact = { profile: { name: customer.name }, wa_id: customer.phone };
    const keys = await this.keyring.sealer(this.tenantId, [customer.subjectId]);
    return keys.seal({
      id: randomUUID(),
      subject: customer.subjectId,
      schema: 'wa.item.v1',
      plaintext: { item, contact, metadata: { phone_number_id: NUMBER } },
    });
  }

  origin(): { app: string; wabaId: string; phoneNumberId: string } {
    return { app: 'app', wabaId: 'waba', phoneNumberId: NUMBER };
  }

  /** A message of the customer arrives; gives its reference. */
  async message(customer: Customer, text: string, options: MessageOptions = {}): Promise<string> {
    const { type = 'text', at = this.now(), wamid = `wamid.${randomUUID()}`, group } = options;
    const item = {
      from: customer.phone,
      id: wamid,
      timestamp: String(Math.floor(at.getTime() / 1000)),
      type,
      [type]: options.body ?? { body: text },
      ...(group ? { group_id: group.groupId } : {}),
    };
    const messageRef = await this.ref(wamid);
    await this.publish(
      'wa.inbound.v1',
      'whatsapp.message.received.v1',
      group?.subjectId ?? customer.subjectId,
      {
        ...this.origin(),
        messageRef,
        messageType: type,
        providerTime: at.toISOString(),
        subjectId: customer.subjectId,
        group: group !== undefined,
        participant: group ? await this.ref(customer.phone) : '-',
        addressKind: 'phone',
        marketHint: { country: 'ES', prefix: '34' },
        contextRef: options.context ?? null,
        media: options.media ?? null,
        referral: false,
        sealed: await this.envelope(customer, item),
      },
      options.eventId === undefined ? {} : { id: options.eventId },
    );
    return messageRef;
  }

  async status(
    customer: Customer,
    status: Partial<EventData<'whatsapp.status.changed.v1'>> & { messageRef: string; status: string },
  ): Promise<void> {
    await this.publish('wa.inbound.v1', 'whatsapp.status.changed.v1', customer.subjectId, {
      ...this.origin(),
      sendId: null,
      providerTime: this.now().toISOString(),
      participant: '-',
      marketHint: { country: 'ES', prefix: '34' },
      pricing: null,
      origin: null,
      errorCodes: [],
      sealed: await this.envelope(customer, { status: status.status }),
      ...status,
    });
  }

  /** An event of routing, with the versions that its store would give. */
  async routing<Type extends EventType>(type: Type, key: string, stream: string, data: EventData<Type>): Promise<void> {
    const next = (of: string): string => {
      const version = (this.#versions.get(of) ?? 0) + 1;
      this.#versions.set(of, version);
      return String(version);
    };
    await this.publish('routing.events.v1', type, key, data, {
      subject: stream,
      keyversion: next(`key:${key}`),
      streamversion: next(`stream:${stream}`),
    });
  }

  task(customer: Customer, ordinal = 1): { taskId: string; conversationId: string; subjectId: string } {
    const conversationId = this.conversation(customer, ordinal);
    return { taskId: conversationId, conversationId, subjectId: customer.subjectId };
  }

  async queue(customer: Customer, queueId: string | null = this.queueId): Promise<void> {
    const task = this.task(customer);
    await this.routing('task.queued.v1', customer.subjectId, task.taskId, {
      ...task,
      ...{ queueId, requiredSkills: [], language: 'es', priority: 0, windowExpiresAt: null, targetAgentId: null },
      queuedAt: this.now().toISOString(),
      cause: 'opened',
    });
  }

  async assign(customer: Customer, agentId: string): Promise<void> {
    const task = this.task(customer);
    const assignedAt = this.now().toISOString();
    const ids = { reservationId: randomUUID(), decisionId: randomUUID() };
    await this.routing('task.assigned.v1', customer.subjectId, task.taskId, {
      ...{ ...task, ...ids, agentId, queueId: this.queueId, assignedAt },
    });
    await this.seen(async () => (await this.row(customer))?.['agent_id'] === agentId, 'the assignment');
  }

  async agent(queueIds: readonly string[] = [this.queueId]): Promise<TestActor & { id: string }> {
    const agentId = randomUUID();
    await this.routing('agent.defined.v1', agentId, agentId, {
      ...{ agentId, label: 'Agent 1', skills: [], queueIds: [...queueIds], capacity: 3 },
    });
    await this.seen(async () => (await this.rows('agent', 'agent_id', agentId)).length > 0, 'the agent');
    return { id: agentId, tenantId: this.tenantId, roles: ['agent'] };
  }

  supervisor(): TestActor & { id: string } {
    return { id: randomUUID(), tenantId: this.tenantId, roles: ['supervisor'] };
  }

  conversation(customer: Customer, ordinal = 1): string {
    return conversationIdOf(this.tenantId, NUMBER, customer.subjectId, ordinal);
  }

  /** A customer who wrote, and an agent to whom the conversation was assigned. */
  async talking(at?: Date): Promise<{ customer: Customer; agent: TestActor & { id: string }; path: string; ref: string }> {
    const customer = await this.customer();
    const ref = await this.message(customer, 'Hola, ¿hay citas?', at ? { at } : {});
    await this.recorded(customer, 1);
    const agent = await this.agent();
    await this.assign(customer, agent.id);
    return { customer, agent, path: `/v1/conversations/${this.conversation(customer)}`, ref };
  }

  call<Body = Record<string, unknown>>(
    actor: TestActor,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string | null> = {},
  ): Promise<TestAnswer<Body>> {
    return this.service.call<Body>(actor, method, path, { ...(body === undefined ? {} : { body }), headers });
  }

  async rows(table: string, column: string, value: string): Promise<Record<string, unknown>[]> {
    return (await this.sql.query(`select * from ${table} where tenant_id = $1 and ${column} = $2`, [this.tenantId, value]))
      .rows as Record<string, unknown>[];
  }

  /** Conversation and assignment of a customer, as the tables say. */
  async row(customer: Customer, ordinal = 1): Promise<Record<string, unknown> | undefined> {
    const { rows } = await this.sql.query<Record<string, unknown>>(
      `select * from conversation left join assignment using (tenant_id, conversation_id) where conversation_id = $1`,
      [this.conversation(customer, ordinal)],
    );
    return rows[0];
  }

  seen(condition: () => Promise<boolean>, describe: string): Promise<unknown> {
    return until(condition, { describe, timeoutMs: 15_000 });
  }

  /** Waits until so many messages of this subject are recorded; gives the events of its key in order. */
  async recorded(
    customer: Customer,
    messages: number,
  ): Promise<{ type: string; data: Record<string, unknown>; stream_id: string }[]> {
    const read = async () => {
      const { rows } = await this.sql.query<{ type: string; data: Record<string, unknown>; stream_id: string }>(
        `select type, data, stream_id from events where tenant_id = $1 and key = $2 and topic = 'conversation.events.v1' order by key_version`,
        [this.tenantId, customer.subjectId],
      );
      return rows;
    };
    const isMessage = ({ type }: { type: string }): boolean => type === 'conversation.message.recorded.v1';
    await this.seen(async () => (await read()).filter(isMessage).length >= messages, `${String(messages)} messages`);
    return read();
  }

  /** Waits until everything that is on a topic has been applied. */
  async settled(topic: Topic = 'wa.inbound.v1'): Promise<void> {
    const ends = await this.log.admin.endOffsets(topic);
    await this.seen(async () => {
      const { rows } = await this.sql.query<{ partition: number; next_offset: string }>(
        `select partition, next_offset from consumer_offset where group_id = 'conversation' and topic = $1`,
        [topic],
      );
      const applied = new Map(rows.map((row) => [row.partition, BigInt(row.next_offset)]));
      return [...ends].every(([partition, end]) => end === 0n || (applied.get(partition) ?? 0n) >= end);
    }, `all of ${topic}`);
  }

  /** Events that the relay has published for this customer. */
  async published<Type extends EventType>(type: Type, customer: Customer): Promise<EventData<Type>[]> {
    return this.log
      .records('conversation.events.v1')
      .map((record) => JSON.parse(String(record.value)) as CloudEvent)
      .filter((event) => isType(event, type) && event.tenantid === this.tenantId)
      .map((event) => event.data as EventData<Type>)
      .filter((data) => (data as { subjectId?: string }).subjectId === customer.subjectId);
  }
}
