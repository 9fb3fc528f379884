import { readFileSync } from 'node:fs';
import { z } from 'zod';

const AccountsFile = z.object({
  accounts: z.array(
    z.object({
      tenantId: z.uuid(),
      wabaId: z.string(),
      /** IANA zone in which the account's months end. */
      timeZone: z.string(),
      currency: z.string().regex(/^[A-Z]{3}$/),
      numbers: z.array(z.object({ phoneNumberId: z.string(), displayPhoneNumber: z.string(), name: z.string() })).min(1),
    }),
  ),
});
export type BillingAccount = z.infer<typeof AccountsFile>['accounts'][number];

/** Accounts as registered: zone and currency decide months and cards. */
export class AccountBook {
  constructor(private readonly accounts: readonly BillingAccount[]) {}

  /** Throws with the file's name and every wrong field. */
  static read(file: string): AccountBook {
    const parsed = AccountsFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (!parsed.success) throw new Error(`ACCOUNTS_FILE ${file}: ${z.prettifyError(parsed.error)}`);
    return new AccountBook(parsed.data.accounts);
  }

  find(tenantId: string, wabaId: string): BillingAccount | undefined {
    return this.accounts.find((account) => account.tenantId === tenantId && account.wabaId === wabaId);
  }
}
