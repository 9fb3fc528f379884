import { openEventLog } from '@centralita/event-log';
import { renamedLog } from '../renamed-log.spec.js';
import { Relay } from './relay.js';

/** A relay in a process of its own, to be killed: see relay.kill.int.spec.ts. */
const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const names = JSON.parse(required('TOPICS')) as Record<string, string>;
const relay = new Relay({
  url: required('RELAY_URL'),
  log: renamedLog(await openEventLog({ brokers: required('KAFKA_BROKERS').split(','), clientId: 'relay-under-test' }), names),
  service: 'conversation',
  topics: ['conversation.events.v1'],
  headsPerBucket: 4,
  eventsPerHead: 1,
  eventsPerPass: 45,
  idleMs: 20,
  leaseMs: 2_000,
  metrics: { alarm: ({ code }) => void process.stdout.write(`alarm ${code}\n`) },
});
relay.start();
const told = setInterval(() => {
  if (relay.state !== 'running') return;
  process.stdout.write('running\n');
  clearInterval(told);
}, 10);
