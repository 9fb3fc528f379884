import { readFileSync } from 'node:fs';
import { PlatformError } from '@centralita/contracts';
import { isTimeZone } from '@centralita/domain-billing';
import { z } from 'zod';

const AccountsFile = z.object({
  accounts: z.array(
    z.object({
      tenantId: z.uuid(),
      wabaId: z.string(),
      /** IANA zone in which the account's months end. */
      timeZone: z.string().refine(isTimeZone, 'is not a time zone'),
      currency: z.string().regex(/^[A-Z]{3}$/),
      numbers: z.array(z.object({ phoneNumberId: z.string(), displayPhoneNumber: z.string(), name: z.string() })).min(1),
    }),
  ),
});
export type BillingAccount = z.infer<typeof AccountsFile>['accounts'][number];

/** Accounts as registered: zone and currency decide months and cards. */
export class AccountBook {
  readonly #accounts: ReadonlyMap<string, BillingAccount>;

  constructor(accounts: readonly BillingAccount[]) {
    this.#accounts = new Map(accounts.map((account) => [`${account.tenantId}/${account.wabaId}`, account]));
  }

  /** Throws CONFIGURATION_INVALID with every wrong field. */
  static read(file: string): AccountBook {
    let json: unknown;
    try {
      json = JSON.parse(readFileSync(file, 'utf8'));
    } catch (cause) {
      throw new PlatformError('CONFIGURATION_INVALID', 'ACCOUNTS_FILE must name a JSON file', {}, { cause });
    }
    const parsed = AccountsFile.safeParse(json);
    if (!parsed.success)
      throw new PlatformError('CONFIGURATION_INVALID', `ACCOUNTS_FILE is not valid:\n${z.prettifyError(parsed.error)}`);
    return new AccountBook(parsed.data.accounts);
  }

  tenants(): string[] {
    return [...new Set([...this.#accounts.values()].map(({ tenantId }) => tenantId))];
  }

  find(tenantId: string, wabaId: string): BillingAccount | undefined {
    return this.#accounts.get(`${tenantId}/${wabaId}`);
  }
}
