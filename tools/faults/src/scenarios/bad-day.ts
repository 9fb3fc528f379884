import type { Scenario } from '../scenario.js';
import { brokerKill } from './broker-kill.js';
import { frozenConsumer } from './frozen-consumer.js';
import { frozenWriter } from './frozen-writer.js';
import { kills } from './kills.js';
import { postgresKill } from './postgres-kill.js';
import { redeliveries } from './redeliveries.js';

const parts: readonly Scenario[] = [kills, frozenConsumer, frozenWriter, brokerKill, postgresKill];

/** Everything that can befall a process or an engine, on one platform and in an order of the seed's choice: each must also survive the others. */
export const badDay: Scenario = {
  name: 'bad day',
  what: `${parts.map(({ name }) => name).join(', ')}, one after the other, while every webhook comes three times`,
  customers: 100,
  ...(redeliveries.settings ? { settings: redeliveries.settings } : {}),
  bounded: true,
  faults: async (stack, random, print) => {
    for (const part of random.shuffle([...parts])) {
      print(`${part.name}:`);
      await part.faults(stack, random.fork(part.name), (line) => print(`  ${line}`));
    }
  },
};
