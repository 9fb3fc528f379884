import { isPlatformError, Uuid } from '@centralita/contracts';
import { listParked, type Database } from '@centralita/event-store';
import type { Keyring, SubjectKeys } from '@centralita/keyring';

/** Customers of whom this group has records parked: the facts about them are not all that was decided. */
export class ParkedSubjects {
  /** Commitments by key, null for what is no customer's, while the key is parked. */
  #known = new Map<string, string | null>();

  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly groupId: string,
  ) {}

  /** Of a tenant, by commitment. Asked after the facts were found complete by offsets: a parked record lets its offset pass. */
  async of(tenantId: string): Promise<ReadonlySet<string>> {
    const parked = (await listParked(this.db, this.groupId)).filter(({ key }) => Uuid.safeParse(key).success);
    const still = new Set(parked.map(({ key }) => key));
    this.#known = new Map([...this.#known].filter(([key]) => still.has(key)));
    const keys = parked.filter(({ tenants }) => tenants.includes(tenantId)).map(({ key }) => key);
    const unknown = keys.filter((key) => !this.#known.has(key));
    if (unknown.length > 0) {
      const sealer = await this.keyring.sealer(tenantId, unknown);
      for (const key of unknown) this.#known.set(key, commitmentOf(sealer, key));
    }
    return new Set(keys.flatMap((key) => this.#known.get(key) ?? []));
  }
}

/** Null for a customer who is erased, and for a key that is no customer's: an agent or a source's lane may be parked too. */
const commitmentOf = (keys: SubjectKeys, subject: string): string | null => {
  try {
    return keys.commitment(subject);
  } catch (error) {
    if (isPlatformError(error, 'ERASED') || isPlatformError(error, 'KEY_UNAVAILABLE')) return null;
    throw error;
  }
};
