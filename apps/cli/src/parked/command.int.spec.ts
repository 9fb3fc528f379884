import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { typesOf } from '@centralita/contracts';
import { createMemoryLog, eventRecord, OnEvents, type EventBatch, type MemoryLog } from '@centralita/event-log';
import { eventStoreMigrations } from '@centralita/event-store';
import { startTestService, type TestActor, type TestService } from '@centralita/platform-nest/testing';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { Controller, Module } from '@nestjs/common';
import { z } from 'zod';
import { centralita, type Ran } from '../runner.spec.js';

const seen: string[] = [];

@Controller()
class HandlerController {
  @OnEvents('operations.events.v1', {
    handles: ['projection.rebuilt.v1'],
    ignores: typesOf('operations.events.v1').filter((type) => type !== 'projection.rebuilt.v1'),
  })
  async note(batch: EventBatch): Promise<void> {
    seen.push(...batch.events.map(({ event }) => event.id));
  }
}

@Module({ controllers: [HandlerController] })
class HandlerModule {}

const topic = 'operations.events.v1';

describe('centralita parked, at a real service', () => {
  let database: TestDatabase;
  let log: MemoryLog;
  let sut: TestService<unknown>;
  const operator: TestActor = { tenantId: randomUUID(), roles: ['platform'], id: randomUUID(), scope: 'operations' };

  beforeAll(async () => {
    database = await createTestDatabase({ service: 'cli' });
    log = createMemoryLog();
    sut = await startTestService({
      service: 'routing',
      schema: z.object({}),
      migrations: eventStoreMigrations,
      module: () => HandlerModule,
      relayTopics: [],
      consumerGroup: 'routing',
      customerData: false,
      database,
      log,
    });
  });
  afterAll(async () => {
    await sut.close();
    await log.close();
    await database.drop();
  });

  const put = async (key: string, ...all: unknown[]): Promise<string[]> => {
    const events = all.map((data, index) => ({
      specversion: '1.0',
      id: randomUUID(),
      source: '/centralita/conversation',
      type: 'projection.rebuilt.v1',
      time: '2026-11-23T10:00:00.000Z',
      subject: key,
      datacontenttype: 'application/json',
      dataschema: 'urn:centralita:schema:any',
      tenantid: operator.tenantId,
      recordedtime: '2026-11-23T10:00:00.000Z',
      correlationid: randomUUID(),
      causationid: null,
      keyversion: String(index + 1),
      data,
    }));
    await log.append(events.map((event) => eventRecord({ topic, key, value: Buffer.from(JSON.stringify(event)) })));
    return events.map(({ id }) => id);
  };
  const run = async (argv: readonly string[], actor = operator): Promise<Ran> =>
    centralita(['parked', ...argv, '--service', sut.url], {}, { fetch, env: { CENTRALITA_TOKEN: await sut.token(actor) } });

  const rebuilt = { service: 'billing', projection: 'x', rows: '1', at: '2026-11-23T10:00:00.000Z' };

  it('shows a poison record, has it applied again in vain, gives it up and goes on behind it', async () => {
    const key = randomUUID();
    const [, behind] = await put(key, { service: 'no such service' }, rebuilt);
    const { first } = await until(async () => {
      const { items } = JSON.parse((await run(['list', '--json'])).out.join('')) as {
        items: { records: number; first: { topic: string; partition: number; offset: string } }[];
      };
      return items[0]?.records === 2 ? items[0] : null;
    });
    const place = `${first.topic}/${first.partition}/${first.offset}`;
    const table = await run(['list']);
    expect(table.exitCode).toBe(0);
    expect(table.out[1]).toMatch(new RegExp(`^${key}  .*Z  RECORD_INVALID  2 +${place}  ${topic} 2$`));
    expect(table.out[2]).toBe('1 parked key in group routing');

    expect(await run(['retry', key])).toMatchObject({
      exitCode: 1,
      out: [`retried ${key} in group routing: 0 records applied, still parked, the next record fails with RECORD_INVALID`],
    });
    expect(await run(['skip', key, '--record', `${first.topic}/${first.partition}/9999`])).toMatchObject({ exitCode: 2 });
    expect(seen).not.toContain(behind);
    expect(await run(['skip', key])).toMatchObject({
      exitCode: 0,
      out: [`skipped ${place} of ${key} in group routing: 1 record applied, the key is free`],
    });
    expect(seen).toContain(behind);
    expect(await run(['list'])).toMatchObject({ exitCode: 0, out: ['nothing is parked'] });
    expect(await run(['retry', key])).toMatchObject({ exitCode: 2 });
  });

  it('is refused with a token for something else', async () => {
    const { scope: _, ...session } = operator;
    for (const actor of [session, { ...operator, roles: ['supervisor'] } satisfies TestActor]) {
      const ran = await run(['list'], actor);
      expect([ran.exitCode, ran.out]).toEqual([77, []]);
      expect(ran.err.join()).toMatch(/FORBIDDEN/);
    }
    const ran = await centralita(['parked', 'list', '--service', sut.url], {}, { fetch, env: { CENTRALITA_TOKEN: 'a.b.c' } });
    expect(ran.exitCode).toBe(77);
  });
});
