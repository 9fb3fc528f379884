import { openEventLog } from '@centralita/event-log';
import { TENANT } from '../benches/records.js';
import type { Case, Ground, Side, Work } from '../bench.js';
import { Agents } from './agents.js';
import { requireEffects, type Written } from './effects.js';
import { Gateway } from './gateway.js';
import { Client, Deliverer } from './http.js';
import { startPlatform } from './platform.js';
import { Provider } from './provider.js';
import { Standstill } from './standstill.js';
import { Tail } from './tail.js';
import { committed, sizeOf } from './databases.js';
import { deliveriesOf, inboundOf, NUMBERS, STATUSES } from './traffic.js';
import { soon } from './wait.js';

/** The platform with its customers, its provider and its agents. This process is all of the outside world. */
export const ourSide = async (ground: Ground, parameters: Case['parameters']): Promise<Side> => {
  const { conversations = 0, messagesEach = 0, items = 1, connections = 1, underWay = 0 } = parameters;
  if (conversations > Agents.capacity) throw new RangeError(`the agents have room for ${Agents.capacity} conversations`);
  const client = new Client();
  const provider = new Provider();
  const graphUrl = await provider.listen();
  const gateway = await Gateway.open(TENANT);
  const platform = await startPlatform(ground, { jwksUrl: gateway.jwksUrl, graphUrl });
  const deliverer = new Deliverer(client, `${platform.urls.webhook}/webhooks/bench`);
  provider.reportBy(deliverer);
  const log = await openEventLog({ brokers: [...ground.brokers], clientId: 'bench-reader' });
  const standstill = new Standstill(log, platform.databases);
  const agents = new Agents({ client, gateway, urls: platform.urls, numbers: NUMBERS });
  const tail = new Tail(ground.brokers);
  await tail.start(['conversation.events.v1', 'routing.events.v1'], (seen) => agents.see(seen));
  await agents.begin();

  const names = Object.values(platform.databases).map(({ name }) => name);
  const transactions = (): Promise<number> => committed(ground.databaseUrl, names);
  const stored = (): Promise<number> => sizeOf(ground.databaseUrl, names);
  const still = async (): Promise<void> => {
    let moving: string[] = [];
    await soon(
      async () => (moving = await standstill.moving()).length === 0,
      () => moving.join('; '),
    );
  };
  return {
    processes: platform.processes,
    prepare: async (): Promise<Work> => {
      await agents.clearDesks();
      await still();
      agents.nextRound();
      provider.nextRound();
      const before = await standstill.ends();
      const inbound = inboundOf(conversations, messagesEach);
      const deliveries = deliveriesOf(inbound.changes, items);
      const replies = inbound.sent.length / 2;
      const refused = deliverer.refused;
      let [own, commits, grown] = [0, await transactions(), await stored()];
      let written: Written = { records: 0, bytes: 0 };
      return {
        run: async () => {
          const started = process.cpuUsage();
          const done = async (): Promise<boolean> => {
            // What the log has told of assignments is acted on when the conversation service knows it too.
            agents.know(await standstill.applied('routing.events.v1'));
            return agents.answered === replies && provider.delivered === replies * STATUSES.length;
          };
          const told = (): string => `${agents.answered} of ${replies} answers, ${provider.delivered} statuses`;
          await Promise.all([
            deliverer.deliverAll(deliveries, connections, (sent) => sent - agents.folded < underWay),
            soon(done, told),
          ]);
          await still();
          const { user, system } = process.cpuUsage(started);
          own = user + system;
          commits = (await transactions()) - commits;
          grown = (await stored()) - grown;
        },
        confirmed: async () => {
          const { reads, again } = agents;
          const { calls } = provider;
          written = await requireEffects(log, platform, before, { inbound: inbound.sent, calls, conversations, reads, again });
          return inbound.sent.length;
        },
        figures: () => ({
          'load us': own / inbound.sent.length,
          transactions: commits / inbound.sent.length,
          records: written.records / inbound.sent.length,
          'log bytes': written.bytes / inbound.sent.length,
          'database bytes': grown / inbound.sent.length,
          'deliveries refused': deliverer.refused - refused,
          'commands again': agents.again,
        }),
      };
    },
    close: async () => {
      await tail.close();
      await platform.stop();
      await standstill.close();
      await log.close();
      provider.close();
      gateway.close();
      client.close();
    },
  };
};
