import { CONFIG } from '@centralita/platform-nest';
import type { Disposition, Template } from '@centralita/contracts';
import { Inject, Injectable } from '@nestjs/common';
import type { ConversationConfig } from '../config.js';

/** What an installation has named: business numbers, approved templates, dispositions. */
@Injectable()
export class Catalogue {
  readonly #names: ReadonlyMap<string, string>;

  constructor(@Inject(CONFIG) private readonly config: ConversationConfig) {
    this.#names = new Map(
      config.accounts.flatMap(({ tenantId, numbers }) =>
        numbers.map(
          ({ phoneNumberId, name, displayPhoneNumber }) => [`${tenantId}:${phoneNumberId}`, name || displayPhoneNumber] as const,
        ),
      ),
    );
  }

  get templates(): readonly Template[] {
    return this.config.templates;
  }

  get dispositions(): readonly Disposition[] {
    return this.config.dispositions;
  }

  /** Name of a business number of this tenant; its id where none was given. */
  nameOf(tenantId: string, phoneNumberId: string): string {
    return this.#names.get(`${tenantId}:${phoneNumberId}`) ?? phoneNumberId;
  }
}
