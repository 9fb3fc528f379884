import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { planDay, type CustomerScript } from '../day/plan.js';
import { tenants } from '../seed/tenants.js';
import { automatic, customersFrom, untilStopped } from './traffic.js';

describe('the traffic that goes on', () => {
  it('has every queue of every tenant answered, and leaves most desks to people', () => {
    for (const tenant of tenants) {
      const names = automatic(tenant).map(({ username }) => username);
      const served = tenant.users
        .filter(({ username }) => names.includes(username))
        .flatMap(({ agent }) => agent?.queueIds ?? []);
      expect(tenant.queues.filter(({ queueId }) => !served.includes(queueId)).map(({ name }) => name)).toEqual([]);
      expect(names.length).toBeLessThanOrEqual(tenant.users.filter(({ agent }) => agent !== null).length / 4);
    }
  });

  it('is the same for a seed, another for another, and everybody comes before anybody comes back', () => {
    const numbers = tenants.flatMap(({ account, app, tenantId }) =>
      account.numbers.map((number) => ({ ...number, wabaId: account.wabaId, app, tenantId })),
    );
    const { scripts } = planDay(7, 20, numbers);
    const first = (seed: number, count: number): string[] => {
      const customers = customersFrom(seed, scripts);
      return Array.from({ length: count }, () => customers.next().value as CustomerScript).map(({ customer }) => customer.id);
    };
    expect(first(7, 60)).toEqual(first(7, 60));
    expect(first(7, 20)).not.toEqual(first(8, 20));
    expect(first(7, scripts.length).sort()).toEqual(scripts.map(({ customer }) => customer.id).sort());
  });

  it('says what fails once, tries again, says that it goes on, and ends when it is told to', async () => {
    const stop = new AbortController();
    const said: string[] = [];
    let turns = 0;
    await untilStopped(
      'customers',
      async () => {
        turns += 1;
        await setImmediate();
        if (turns < 3) throw new Error('nobody there');
        if (turns === 6) stop.abort();
        if (turns > 6) throw new Error('not stopped');
      },
      { signal: stop.signal, say: (line) => said.push(line), againMs: 1 },
    );
    expect([turns, said]).toEqual([6, ['customers: nobody there; trying again', 'customers: goes on']]);
  });
});
