// A side of a bench in its own process: started by harness/side-process.ts, asked over its channel, gone when that closes.
import type { Bench, Ground, Side } from './bench.js';
import { benches } from './benches/index.js';
import { processorTimes } from './harness/cpu.js';
import type { Sample, SideAnswer, SideRequest } from './harness/side-process.js';

let side: { readonly open: Side; readonly engines: Ground['engines'] } | null = null;

const open = async ({ bench: id, side: name, ground, parameters }: Extract<SideRequest, { ask: 'open' }>): Promise<Side> => {
  const bench: Bench | undefined = benches.find((one) => one.id === id);
  if (bench === undefined) throw new Error(`there is no bench ${id}`);
  return bench[name](ground, parameters);
};

const total = (times: readonly (readonly [string, number])[]): number => times.reduce((sum, [, time]) => sum + time, 0);

const round = async (open: Side, engines: Ground['engines'], seconds: number): Promise<Sample> => {
  const work = await open.prepare(seconds);
  const look = (roots: Readonly<Record<string, number>>): (() => [string, number][] | null) => {
    const before = processorTimes(roots);
    return () => processorTimes(roots)?.map(([name, time], index) => [name, time - (before?.[index]?.[1] ?? 0)]) ?? null;
  };
  const [own, ofEngines] = [look(open.processes ?? { side: process.pid }), look({ ...engines, ...open.engines })];
  const started = performance.now();
  await work.run();
  const elapsed = (performance.now() - started) / 1_000;
  const [spent, spentByEngines] = [own(), ofEngines()];
  const messages = await work.confirmed();
  const shares = [spent, spentByEngines].flatMap((times) => (times === null || times.length < 2 ? [] : times));
  return {
    messages,
    seconds: elapsed,
    processor: spent === null ? null : total(spent),
    engines: spentByEngines === null || spentByEngines.length === 0 ? null : total(spentByEngines),
    figures: { ...work.figures?.(), ...Object.fromEntries(shares.map(([name, time]) => [`${name} us`, time / messages])) },
  };
};

const answer = async (request: SideRequest): Promise<SideAnswer> => {
  try {
    if (request.ask === 'open') {
      side = { open: await open(request), engines: request.ground.engines };
      return {};
    }
    if (side === null) throw new Error('the side is not open');
    if (request.ask === 'round') return { sample: await round(side.open, side.engines, request.seconds) };
    await side.open.close();
    return {};
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

process.on('message', (request: SideRequest) => void answer(request).then((reply) => process.send?.(reply)));
process.on('disconnect', () => process.exit(0));
