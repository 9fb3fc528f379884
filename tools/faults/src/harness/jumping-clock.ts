import { writeSync } from 'node:fs';

/**
 * Preloaded (`node --import`) into one process: SIGUSR2 moves its wall clock an hour forward, the next one back again. The monotonic clock
 * goes on as it did, as after a correction of the machine's time.
 */
const JUMP_MS = 3_600_000;

/** The line that the process leaves behind when its clock has moved; the harness waits for it. */
export const JUMP_LINE = 'clock moved';

const install = (): void => {
  const RealDate = Date;
  let offset = 0;
  const now = (): number => RealDate.now() + offset;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget as new () => Date) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
  });
  process.on('SIGUSR2', () => {
    offset = offset === 0 ? JUMP_MS : 0;
    writeSync(2, `${JUMP_LINE} to ${offset} ms ahead\n`);
  });
};

if (process.env['JUMPING_CLOCK'] !== undefined) install();
