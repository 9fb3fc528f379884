import { until } from '@centralita/testing-engines';
import { SimulatorClient } from '@centralita/tool-start';
import { execFile } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { observed } from '../collect/instruments.js';
import { untilClosed } from '../harness/closed.js';
import { rolesOf } from '../harness/dump.js';
import { logEnds, type LogEnds } from '../harness/log-ends.js';
import { PATIENCE_MS, select, untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';
import type { Stack } from '../harness/stack.js';

const run = promisify(execFile);

/**
 * The log's disk is put back from an older copy: what was applied lies beyond its end. A client that resets its position there goes on
 * without a word, and whatever is written at the same offsets is never seen.
 */
export const logTail: Scenario = {
  name: 'log without its tail',
  what: 'the platform comes up on an older copy of the log and must refuse, say so and write nothing, until the right log is back',
  customers: 40,
  bounded: false,
  faults: async (stack, random, print) => {
    const { context, fleet, kafka } = stack;
    const [node] = kafka.nodes;
    if (!node) throw new Error('there is no broker');
    const disk = join(context.folders.kafka, `node-${node.id}`, 'log');
    const [copy, right] = [`${disk}-copy`, `${disk}-right`];
    const whileStopped = async (work: () => Promise<unknown>): Promise<void> => {
      node.signal('SIGTERM');
      await node.exited();
      await work();
      await node.restart();
    };
    await untilEvents(context, 'conversation', random.integer(1, 60));
    await whileStopped(() => run('cp', ['-a', '--sparse=always', disk, copy]));
    const copied = await logEnds(context);
    await Promise.all(observed.map((database) => untilBeyond(stack, database, copied)));

    const roles = observed.flatMap((database) => rolesOf(database));
    await Promise.all(roles.map((role) => fleet.hold(role)));
    const began = new Date().toISOString();
    await whileStopped(async () => {
      await rename(disk, right);
      await rename(copy, disk);
    });
    const before = await logEnds(context);
    await Promise.all(roles.map((role) => fleet.letGo(role)));
    await Promise.all(roles.map((role) => untilClosed(fleet, role, 'LOG_BEHIND_STORE')));
    await Promise.all(roles.map((role) => fleet.hold(role)));
    const grown = [...(await logEnds(context))].filter(([topic, ends]) =>
      [...ends].some(([partition, end]) => end !== before.get(topic)?.get(partition)),
    );
    if (grown.length > 0) throw new Error(`the wrong log was written to: ${grown.map(([topic]) => topic).join(', ')}`);
    const { deliveries } = await new SimulatorClient(context.simulatorUrl).journal();
    const answered = deliveries.filter(({ from, status }) => from > began && status === 200).length;
    if (answered > 0) throw new Error(`${answered} webhooks were answered 200 on the wrong log`);
    print(`${roles.length} processes refuse a log that ends before what was applied; nothing was written or answered`);

    await whileStopped(async () => {
      await rm(disk, { recursive: true });
      await rename(right, disk);
    });
    await Promise.all(roles.map((role) => fleet.release(role)));
    print('all go on with the right log');
  },
};

/** Waits until a service has applied something that is not on a log with these ends. */
const untilBeyond = ({ context }: Stack, database: (typeof observed)[number], ends: LogEnds): Promise<unknown> =>
  until(
    async () => {
      const rows = await select<{ topic: string; partition: number; next_offset: string }>(
        context,
        database,
        'select topic, partition, next_offset from consumer_offset',
      ).catch(() => []);
      const endOf = new Map([...ends].map(([topic, byPartition]) => [topic as string, byPartition]));
      return rows.some(({ topic, partition, next_offset }) => BigInt(next_offset) > (endOf.get(topic)?.get(partition) ?? 0n));
    },
    { timeoutMs: PATIENCE_MS, describe: `${database} to apply what is not on the copy` },
  );
