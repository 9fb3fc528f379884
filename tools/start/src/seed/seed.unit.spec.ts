import { describe, expect, it } from '@jest/globals';
import { AgentBody, PolicyBody, QueueBody, RateCardBody, Uuid } from '@centralita/contracts';
import { dayPolicy, peoplePolicy } from './policy.js';
import { nanoUnits, rateCards } from './rate-cards.js';
import { tenants } from './tenants.js';

describe('the seed', () => {
  const users = tenants.flatMap((tenant) => tenant.users);
  const numbers = tenants.flatMap((tenant) => tenant.account.numbers);

  it('has two tenants, three business numbers and twelve agents, all different', () => {
    expect(tenants).toHaveLength(2);
    expect(new Set(numbers.map((number) => number.phoneNumberId)).size).toBe(3);
    expect(users.filter((user) => user.agent !== null)).toHaveLength(12);
    expect(new Set(users.map((user) => user.id)).size).toBe(users.length);
    expect(new Set(users.map((user) => user.username)).size).toBe(users.length);
  });

  it('has every role in every tenant', () => {
    for (const tenant of tenants) {
      expect([...new Set(tenant.users.flatMap((user) => user.roles))].sort()).toEqual([
        'agent',
        'billing',
        'compliance',
        'platform',
        'supervisor',
      ]);
    }
  });

  it('is accepted by the public API as it is', () => {
    for (const tenant of tenants) {
      for (const { queueId, ...body } of tenant.queues) {
        expect(Uuid.safeParse(queueId).success).toBe(true);
        expect(QueueBody.parse(body)).toEqual(body);
      }
      for (const user of tenant.users) if (user.agent !== null) AgentBody.parse({ label: user.label, ...user.agent });
    }
    PolicyBody.parse(dayPolicy);
    PolicyBody.parse(peoplePolicy);
    for (const card of rateCards) RateCardBody.parse(card);
  });

  it('lets somebody serve every queue, and every number has its queue', () => {
    for (const tenant of tenants) {
      const served = new Set(tenant.users.flatMap((user) => user.agent?.queueIds ?? []));
      expect(tenant.queues.map((queue) => queue.queueId).filter((id) => !served.has(id))).toEqual([]);
      expect(tenant.queues.flatMap((queue) => queue.phoneNumberIds).sort()).toEqual(
        tenant.account.numbers.map((number) => number.phoneNumberId).sort(),
      );
    }
  });

  it('states rates to the nano-unit', () => {
    expect(nanoUnits('0.0707')).toBe('70700000');
    expect(nanoUnits('12')).toBe('12000000000');
    expect(nanoUnits('0.000000001')).toBe('1');
    expect(() => nanoUnits('0.0000000001')).toThrow(RangeError);
    expect(() => nanoUnits('-1')).toThrow(RangeError);
  });
});
