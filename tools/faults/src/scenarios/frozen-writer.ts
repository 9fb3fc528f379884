import { select, untilEvents, untilRow } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

type Head = { readonly tenant_id: string; readonly domain_id: string; readonly epoch: string };

/** The writer of the routing domains stands still past its lease, in the middle of whatever it decides, and wakes up replaced. */
export const frozenWriter: Scenario = {
  name: 'frozen routing writer',
  what: 'routing stands still until a second instance leads its domains under a newer epoch; what it still writes then is refused',
  customers: 24,
  bounded: false,
  faults: async ({ context, fleet }, random, print) => {
    const second = await fleet.startSecond('routing');
    await untilEvents(context, 'routing', random.integer(30, 120));
    const led = await select<Head>(
      context,
      'routing',
      'select tenant_id, domain_id, epoch from domain_head where leased_until > clock_timestamp()',
    );
    if (led.length === 0) throw new Error('no routing domain has a writer');
    fleet.signal('routing', 'SIGSTOP');
    try {
      for (const { tenant_id, domain_id, epoch } of led)
        await untilRow(
          context,
          'routing',
          `a writer of domain ${domain_id} after epoch ${epoch}`,
          `select 1 as led from domain_head
            where tenant_id = $1 and domain_id = $2 and epoch > $3 and leased_until > clock_timestamp()`,
          [tenant_id, domain_id, epoch],
        );
      print(`routing stands still; ${second} leads ${led.length} domains`);
    } finally {
      fleet.signal('routing', 'SIGCONT');
    }
    await fleet.ready('routing');
    print('routing goes on, beside its successor');
  },
};
