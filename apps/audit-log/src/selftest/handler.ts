import { isType, typesOf } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';

const handles = ['selftest.ran.v1'] as const;
const ignores = typesOf('operations.events.v1').filter((type) => !(handles as readonly string[]).includes(type));

/** Projects the newest self-test, on the way that every event takes: who tries an installation out sees that the way is open to its end. */
@Controller()
export class SelftestHandler {
  @OnEvents('operations.events.v1', { handles, ignores })
  async onOperations({ events, tx }: EventBatch): Promise<void> {
    const runs = events.flatMap(({ event }) => (isType(event, 'selftest.ran.v1') ? [event.data] : []));
    const newest = runs.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at)).at(-1);
    if (!newest) return;
    await (tx as Tx).execute(
      `insert into selftest as s (tenant_id, run_id, ran_at) values ($1, $2, $3)
       on conflict (tenant_id) do update set run_id = excluded.run_id, ran_at = excluded.ran_at where excluded.ran_at > s.ran_at`,
      [(tx as Tx).tenantId, newest.runId, newest.at],
    );
  }
}
