/* eslint-disable @typescript-eslint/unbound-method -- what is wrapped is called with the `this` that its caller gave */
import kafkajs, { type Kafka, type Producer, type ProducerBatch } from 'kafkajs';
import { writeSync } from 'node:fs';
import pg from 'pg';
import { z } from 'zod';

/**
 * Preloaded (`node --import`) into a service that is to die at an exact place: between two of its calls to the outside, where no signal
 * from another process could be aimed. It wraps the drivers' own methods, so that no service holds code for its own murder.
 */
export const CrashPoint = z.strictObject({
  when: z.enum(['before', 'after']),
  /** `sql` is held against the statement, `log` against the topics of a produce request, `http` against the address that is called. */
  on: z.enum(['sql', 'log', 'http']),
  matching: z.string(),
  /** Which of the matching calls, from one. */
  nth: z.int().positive(),
});
export type CrashPoint = z.infer<typeof CrashPoint>;

/** The line that the dying process leaves behind; the harness waits for it. */
export const CRASH_LINE = 'crash point reached';

const die = (): never => {
  writeSync(2, `${CRASH_LINE}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way: nothing of this process may run any more.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error('unreachable');
};

type Call = (...args: unknown[]) => unknown;

/** Lives until the chosen call, and dies before or after it. `textOf` says what the pattern is held against. */
const dyingAt = (point: CrashPoint): ((textOf: (args: unknown[]) => string, call: Call) => Call) => {
  const matching = new RegExp(point.matching);
  let calls = 0;
  return (textOf, call) =>
    function (this: unknown, ...args: unknown[]): unknown {
      if (!matching.test(textOf(args)) || (calls += 1) !== point.nth) return call.apply(this, args);
      if (point.when === 'before') return die();
      if (typeof args.at(-1) === 'function') return call.apply(this, [...args.slice(0, -1), die]);
      return (call.apply(this, args) as Promise<unknown>).then(die, die);
    };
};

const statementOf = ([statement]: unknown[]): string =>
  typeof statement === 'string' ? statement : ((statement as { text?: string } | undefined)?.text ?? '');
const topicsOf = ([batch]: unknown[]): string =>
  ((batch as ProducerBatch).topicMessages ?? []).map(({ topic }) => topic).join(' ');
const addressOf = ([input]: unknown[]): string => (input instanceof Request ? input.url : String(input));

const arm = (point: CrashPoint): void => {
  const dying = dyingAt(point);
  if (point.on === 'sql') Object.assign(pg.Client.prototype, { query: dying(statementOf, pg.Client.prototype.query as Call) });
  if (point.on === 'http') globalThis.fetch = dying(addressOf, globalThis.fetch as Call) as typeof fetch;
  if (point.on === 'log') {
    const create = kafkajs.Kafka.prototype.producer;
    kafkajs.Kafka.prototype.producer = function (this: Kafka, ...args): Producer {
      const producer = create.apply(this, args);
      return Object.assign(producer, { sendBatch: dying(topicsOf, producer.sendBatch as Call) });
    };
  }
};

const configured = process.env['CRASH_POINT'];
if (configured !== undefined) arm(CrashPoint.parse(JSON.parse(configured)));
