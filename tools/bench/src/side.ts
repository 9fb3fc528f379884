// A side of a bench in its own process: started by harness/side-process.ts, asked over its channel, gone when that closes.
import type { Bench, Side } from './bench.js';
import { benches } from './benches/index.js';
import { processorTime } from './harness/cpu.js';
import type { Sample, SideAnswer, SideRequest } from './harness/side-process.js';

let side: Side | null = null;

const open = async ({ bench: id, side: name, ground, parameters }: Extract<SideRequest, { ask: 'open' }>): Promise<Side> => {
  const bench: Bench | undefined = benches.find((one) => one.id === id);
  if (bench === undefined) throw new Error(`there is no bench ${id}`);
  return bench[name](ground, parameters);
};

const round = async (open: Side, seconds: number): Promise<Sample> => {
  const work = await open.prepare(seconds);
  const pid = open.pid ?? process.pid;
  const before = processorTime(pid);
  const started = performance.now();
  await work.run();
  const elapsed = (performance.now() - started) / 1_000;
  const after = processorTime(pid);
  const messages = await work.confirmed();
  return {
    messages,
    seconds: elapsed,
    processor: before === null || after === null ? null : after - before,
    figures: work.figures?.() ?? {},
  };
};

const answer = async (request: SideRequest): Promise<SideAnswer> => {
  try {
    if (request.ask === 'open') {
      side = await open(request);
      return {};
    }
    if (side === null) throw new Error('the side is not open');
    if (request.ask === 'round') return { sample: await round(side, request.seconds) };
    await side.close();
    return {};
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

process.on('message', (request: SideRequest) => void answer(request).then((reply) => process.send?.(reply)));
process.on('disconnect', () => process.exit(0));
