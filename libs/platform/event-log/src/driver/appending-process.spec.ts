import { openEventLog, type LogDriver } from '../open.js';

/** Appends numbered records and says what was acknowledged, to be killed: see kill.int.spec.ts. */
const [driver, brokers, topic] = process.argv.slice(2) as [LogDriver, string, string];
const log = await openEventLog({ driver, brokers: brokers.split(','), clientId: 'to-be-killed' });

const writer = async (key: string): Promise<never> => {
  for (let n = 0; ; n++) {
    await log.append([{ topic, key, value: Buffer.from(String(n)) }]);
    process.stdout.write(`acked ${key} ${n}\n`);
  }
};

await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(writer));
