import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { Commands } from './commands.js';
import { EventStore } from './event-store.js';
import { fixture, identified, newId, type Fixture } from './support.spec.js';
import type { Appended, Tx } from './types.js';

const topic = 'conversation.events.v1';

describe(Commands.name, () => {
  let f: Fixture;
  let sut: Commands;
  const store = new EventStore({ service: 'conversation' });
  const tenantId = newId();

  beforeAll(async () => {
    f = await fixture();
    sut = new Commands(f.db);
  });
  afterAll(() => f.end());

  const open =
    (stream: string) =>
    (tx: Tx): Promise<Appended[]> =>
      store.append(tx, topic, [identified(stream, stream, 0)]);

  it('gives the first result back, bigints included, and appends once', async () => {
    const [stream, commandId] = [newId(), newId()];
    const first = await sut.run({ tenantId, commandId, digest: { a: 1, b: 2n }, work: open(stream) });
    const again = await sut.run({ tenantId, commandId, digest: { b: 2n, a: 1 }, work: open(stream) });
    expect(first.replayed).toBe(false);
    expect(again).toEqual({ result: first.result, replayed: true });
    expect(again.result[0]?.keyVersion).toBe(1n);
    const events = await f.db.withTenant(tenantId, (tx) => store.load(tx, stream));
    expect(events).toHaveLength(1);
    expect(events[0]?.causationId).toBe(commandId);
  });

  it('runs one of many equal requests at the same time and answers all with its result', async () => {
    const [stream, commandId] = [newId(), newId()];
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => sut.run({ tenantId, commandId, digest: stream, work: open(stream) })),
    );
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ result }) => result[0]?.id)).size).toBe(1);
  });

  it('refuses an id that was used for another request, but not for another tenant', async () => {
    const commandId = newId();
    const work = async (): Promise<string> => 'done';
    await sut.run({ tenantId, commandId, digest: 'one', work });
    await expect(sut.run({ tenantId, commandId, digest: 'two', work })).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(await sut.run({ tenantId: newId(), commandId, digest: 'two', work })).toEqual({ result: 'done', replayed: false });
  });

  it('refuses text that was cut within a character', async () => {
    const digest = { text: 'Gracias \ud83d' };
    const asked = sut.run({ tenantId, commandId: newId(), digest, work: async () => 'done' });
    await expect(asked).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('keeps nothing of a failure', async () => {
    const commandId = newId();
    const refuse = async (): Promise<string> => {
      throw new PlatformError('NOT_ASSIGNED', 'not yours');
    };
    await expect(sut.run({ tenantId, commandId, digest: 1, work: refuse })).rejects.toMatchObject({ code: 'NOT_ASSIGNED' });
    expect(await sut.run({ tenantId, commandId, digest: 1, work: async () => 'ok' })).toMatchObject({ replayed: false });
  });

  it('loads again after a conflict, unless the client gave the version', async () => {
    let runs = 0;
    const conflicting = async (): Promise<number> => {
      runs += 1;
      if (runs < 3) throw new PlatformError('VERSION_CONFLICT', 'somebody was faster');
      return runs;
    };
    expect(await sut.run({ tenantId, commandId: newId(), digest: 1, work: conflicting })).toMatchObject({ result: 3 });
    runs = 0;
    const strict = sut.run({ tenantId, commandId: newId(), digest: 1, work: conflicting, clientVersion: true });
    await expect(strict).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(runs).toBe(1);
  });
});
