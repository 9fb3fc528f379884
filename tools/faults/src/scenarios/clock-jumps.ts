import { until } from '@centralita/testing-engines';
import { JUMP_LINE } from '../harness/jumping-clock.js';
import type { Stack } from '../harness/stack.js';
import { countEvents, PATIENCE_MS, untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

const preload = new URL('../harness/jumping-clock.js', import.meta.url).href;

/** Processes whose clock may jump, and the database in which the work that follows from theirs is seen. */
const jumping = { 'ingest-webhook': 'conversation', billing: 'billing' } as const;
type Jumping = keyof typeof jumping;
const roles = Object.keys(jumping) as Jumping[];

const jump = async ({ fleet }: Stack, role: Jumping): Promise<void> => {
  const jumps = (): number => fleet.linesOf(role).filter((line) => line.includes(JUMP_LINE)).length;
  const before = jumps();
  fleet.signal(role, 'SIGUSR2');
  await until(() => jumps() > before, { timeoutMs: PATIENCE_MS, describe: `the clock of ${role} to jump` });
};

/** The wall clock of one process is an hour ahead of all others for a while, and is set right again, in the middle of its work. */
export const clockJumps: Scenario = {
  name: 'clock jumps',
  what: `the clock of ${roles.join(' and of ')} jumps an hour forward and back under load`,
  customers: 40,
  settings: Object.fromEntries(roles.map((role) => [role, { JUMPING_CLOCK: '1', NODE_OPTIONS: `--import ${preload}` }])),
  bounded: false,
  faults: async (stack, random, print) => {
    await untilEvents(stack.context, 'conversation', random.integer(10, 60));
    for (const role of random.shuffle([...roles])) {
      const database = jumping[role];
      await jump(stack, role);
      const [from, more] = [await countEvents(stack.context, database), random.integer(3, 15)];
      await untilEvents(stack.context, database, from + more);
      await jump(stack, role);
      const back = await countEvents(stack.context, database);
      await untilEvents(stack.context, database, back + 1);
      print(`${role} was an hour ahead for ${back - from} events of ${database}, and is right again`);
    }
  },
};
