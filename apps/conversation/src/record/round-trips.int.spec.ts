import type { Tx } from '@centralita/event-store';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TestPlatform } from '../support.spec.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

/** The statements that a call waits for in its transactions; their beginning goes with the first. */
const statementsOf = async (call: () => Promise<{ status: number }>): Promise<string[]> => {
  const { db } = sut.service.deps;
  const said: string[] = [];
  const counted = (tx: Tx): Tx => ({
    ...tx,
    query: (sql, parameters) => {
      said.push(sql);
      return tx.query(sql, parameters);
    },
    execute: (sql, parameters) => {
      said.push(sql);
      return tx.execute(sql, parameters);
    },
  });
  const withTenant = db.withTenant.bind(db);
  const spy = jest
    .spyOn(db, 'withTenant')
    .mockImplementation((tenantId, work, options) => withTenant(tenantId, (tx) => work(counted(tx)), options));
  try {
    expect((await call()).status).toBeLessThan(300);
  } finally {
    spy.mockRestore();
  }
  return said;
};

describe('round trips to the database', () => {
  it('are few, and as many after a long history as at its beginning', async () => {
    const { customer, agent, path } = await sut.talking();
    for (let message = 0; message < 30; message += 1) await sut.message(customer, 'más');
    await sut.recorded(customer, 31);
    let replies = 0;
    const reply = () =>
      sut.call(agent, 'POST', `${path}/replies`, { kind: 'text', text: 'Hola' }, { 'if-match': `1.${String(replies++)}` });
    const numbers: Record<string, number> = {};
    const count = async (name: string, call: () => Promise<{ status: number }>): Promise<void> => {
      numbers[name] = (await statementsOf(call)).length;
    };
    await count('first reply', reply);
    for (let more = 0; more < 10; more += 1) await reply();
    await count('twelfth reply', reply);
    await count('detail', () => sut.call(agent, 'GET', path));
    await count('thread', () => sut.call(agent, 'GET', `${path}/messages`));
    await count('inbox', () => sut.call(agent, 'GET', '/v1/inbox'));
    await count('read', () => sut.call(agent, 'POST', `${path}/read`, {}));
    await count('close', () => sut.call(agent, 'POST', `${path}/close`, { dispositionCode: 'solved' }));
    // Commands: remember the key, lock, read, append; a reply reads what it answers. Looks: read, and the access record. What is posted
    // (the projection, the result of a command) goes with the commit.
    expect(numbers).toEqual({
      ...{ 'first reply': 5, 'twelfth reply': 5, close: 4, read: 4 },
      ...{ detail: 2, thread: 3, inbox: 2 },
    });
  });
});
