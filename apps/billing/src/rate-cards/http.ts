import { Accepted, PlatformError, RateCardBody } from '@centralita/contracts';
import { Commands, EventStore, causalToken } from '@centralita/event-store';
import { CLOCK, Endpoint, reply, route, type Clock, type InputOf, type Reply } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { v5, v7 } from 'uuid';

const publish = route({
  method: 'POST',
  path: '/v1/rate-cards',
  summary:
    "Publish a supplier's price list as printed. A newer card with the same validity replaces an older one for what is priced later.",
  roles: ['billing', 'platform'],
  body: RateCardBody,
  response: Accepted,
  status: 201,
  idempotent: true,
});

@Controller()
export class RateCardController {
  constructor(
    private readonly commands: Commands,
    private readonly store: EventStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(publish)
  async publish({ body, tenantId, command }: InputOf<typeof publish>): Promise<Reply<{ id: string; version: string }>> {
    refuseContradictions(body);
    const { result } = await this.commands.run({
      tenantId,
      ...command,
      work: async (tx) => {
        const cardId = v7();
        const [appended] = await this.store.append(tx, 'billing.events.v1', [
          {
            key: v5('rate-cards', tenantId),
            streamId: cardId,
            expectedVersion: 0,
            type: 'rate.card.published.v1',
            data: { ...body, cardId, knownAt: this.clock().toISOString() },
          },
        ]);
        if (!appended) throw new PlatformError('INTERNAL', 'the append gave no event');
        return { id: cardId, version: '1', token: causalToken.encode('billing.events.v1', appended.key, appended.keyVersion) };
      },
    });
    return reply({ id: result.id, version: result.version }, { causalToken: result.token });
  }
}

/** A card that gives two prices for one thing, or prices a market that it does not define, is refused with each place. */
const refuseContradictions = (card: InputOf<typeof publish>['body']): void => {
  const markets = new Set(card.markets.map((market) => market.market));
  const seen = new Set<string>();
  const errors = card.rows.flatMap((row, index) => {
    const id = `${row.market}/${row.category}`;
    const problems = [
      ...(markets.has(row.market)
        ? []
        : [{ path: `body.rows.${index}.market`, message: `market ${row.market} is not defined in markets` }]),
      ...(seen.has(id) ? [{ path: `body.rows.${index}`, message: `${id} has two prices` }] : []),
    ];
    seen.add(id);
    return problems;
  });
  if (errors.length > 0) throw new PlatformError('VALIDATION_FAILED', 'the rate card contradicts itself', { errors });
};
