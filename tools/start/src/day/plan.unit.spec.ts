import { describe, expect, it } from '@jest/globals';
import { MessageTypes } from '@centralita/tool-simulator';
import { planDay, type PlanNumber } from './plan.js';

const numbers: PlanNumber[] = ['1', '2', '3'].map((n) => ({
  phoneNumberId: `100${n}`,
  displayPhoneNumber: `3491100000${n}`,
  wabaId: `50${n}`,
  app: 'app',
  tenantId: '0190b7c0-0000-7000-8000-000000000001',
}));

describe('the plan of a day', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planDay(5, 60, numbers)).toEqual(planDay(5, 60, numbers));
    expect(planDay(5, 60, numbers)).not.toEqual(planDay(6, 60, numbers));
  });

  it.each([1, 2, 3])('holds everything that a day must show (seed %d)', (seed) => {
    const plan = planDay(seed, 300, numbers);
    const messages = plan.scripts.flatMap((script) => script.bursts.flatMap((burst) => burst.messages));
    expect(new Set(messages.map((message) => message.type))).toEqual(new Set(MessageTypes));
    expect(plan.scripts.some((script) => script.bursts.some((burst) => burst.spread && burst.messages.length === 10))).toBe(true);
    expect(messages.some((message) => message.ageSeconds === 25 * 3600)).toBe(true);
    expect(messages.some((message) => message.groupId)).toBe(true);
    expect(plan.groups[0]?.memberIds).toHaveLength(5);
    expect(new Set(plan.customers.map((customer) => `${customer.phone !== null}/${customer.bsuid !== null}`))).toEqual(
      new Set(['true/true', 'false/true', 'true/false']),
    );
    expect(new Set(plan.customers.map((customer) => customer.language))).toEqual(new Set(['es', 'en', 'pt']));
    expect(new Set(plan.customers.map((customer) => customer.statusPlan))).toEqual(
      new Set(['normal', 'read_only', 'out_of_order', 'before_response', 'failed']),
    );
  });

  it('gives no two customers the same identifier', () => {
    const { customers } = planDay(9, 3000, numbers);
    const identifiers = customers.flatMap((customer) =>
      [customer.phone, customer.bsuid].filter((identifier) => identifier !== null),
    );
    expect(new Set(identifiers).size).toBe(identifiers.length);
  });
});
