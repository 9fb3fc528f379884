import { z } from 'zod';

/**
 * How the provider reports on messages to a customer. `read_only`: delivered and read coincide, so only read is sent.
 * `out_of_order`: read before delivered before sent. `before_response`: the first status overtakes the answer of the send.
 */
export const StatusPlan = z.enum(['normal', 'read_only', 'out_of_order', 'before_response', 'failed']);
export type StatusPlan = z.infer<typeof StatusPlan>;

export const Customer = z.object({
  id: z.string(),
  /** Digits without plus, or null when the user hides the number behind a username. */
  phone: z.string().nullable(),
  bsuid: z.string().nullable(),
  name: z.string(),
  username: z.string().nullable(),
  country: z.string().length(2),
  language: z.enum(['es', 'en', 'pt']),
  statusPlan: StatusPlan,
});
export type Customer = z.infer<typeof Customer>;

export const Group = z.object({ id: z.string(), memberIds: z.array(z.string()).min(2) });
export type Group = z.infer<typeof Group>;

const NumberOfApp = z.object({
  phoneNumberId: z.string(),
  displayPhoneNumber: z.string(),
  wabaId: z.string(),
  timeZone: z.string(),
  currency: z.string(),
  name: z.string(),
});
export const AppsFile = z.object({
  apps: z.array(
    z.object({
      app: z.string(),
      tenantId: z.string(),
      verifyToken: z.string(),
      secrets: z.object({ current: z.string(), previous: z.string().optional() }),
      accessToken: z.string(),
      numbers: z.array(NumberOfApp),
    }),
  ),
});
export type App = z.infer<typeof AppsFile>['apps'][number];
export type BusinessNumber = App['numbers'][number];

/** Everybody who has a phone, and every number that can be written to. */
export class World {
  readonly #customers = new Map<string, Customer>();
  readonly #groups = new Map<string, Group>();
  readonly #apps: readonly App[];
  /** Last time that a customer or group wrote to a number, for the 24 h rule of the provider. Seconds. */
  readonly #lastInbound = new Map<string, number>();

  constructor(apps: readonly App[]) {
    this.#apps = apps;
  }

  get customers(): Customer[] {
    return [...this.#customers.values()];
  }

  get groups(): Group[] {
    return [...this.#groups.values()];
  }

  get numbers(): (BusinessNumber & { app: string; tenantId: string })[] {
    return this.#apps.flatMap((app) => app.numbers.map((number) => ({ ...number, app: app.app, tenantId: app.tenantId })));
  }

  addCustomers(customers: readonly Customer[]): void {
    for (const customer of customers) this.#customers.set(customer.id, customer);
  }

  addGroups(groups: readonly Group[]): void {
    for (const group of groups) this.#groups.set(group.id, group);
  }

  customer(id: string): Customer {
    const customer = this.#customers.get(id);
    if (!customer) throw new RangeError(`no customer ${id}`);
    return customer;
  }

  group(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  appOfNumber(phoneNumberId: string): { app: App; number: BusinessNumber } | undefined {
    for (const app of this.#apps) {
      const number = app.numbers.find((candidate) => candidate.phoneNumberId === phoneNumberId);
      if (number) return { app, number };
    }
    return undefined;
  }

  app(name: string): App | undefined {
    return this.#apps.find((candidate) => candidate.app === name);
  }

  /** Whether an `Authorization` header holds the token of one of the apps. */
  hasToken(authorization: string | undefined): boolean {
    return this.#apps.some((app) => authorization === `Bearer ${app.accessToken}`);
  }

  customerByAddress(address: { to?: string | undefined; recipient?: string | undefined }): Customer | undefined {
    return this.customers.find(
      (customer) =>
        (address.to !== undefined && customer.phone === address.to) ||
        (address.recipient !== undefined && customer.bsuid === address.recipient),
    );
  }

  heard(phoneNumberId: string, from: string, atSeconds: number): void {
    const key = `${phoneNumberId}:${from}`;
    this.#lastInbound.set(key, Math.max(atSeconds, this.#lastInbound.get(key) ?? 0));
  }

  lastHeard(phoneNumberId: string, from: string): number | undefined {
    return this.#lastInbound.get(`${phoneNumberId}:${from}`);
  }
}
