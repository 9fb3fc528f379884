import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '@centralita/tool-simulator';
import type { StartContext } from '../context.js';
import { loginOf } from '../context.js';
import { ScriptedAgent } from '../day/agent.js';
import { ApiClient, type Exchange } from '../day/client.js';
import type { Login } from '../day/context.js';
import { planDay, type CustomerScript } from '../day/plan.js';
import { SimulatorClient } from '../day/simulator-client.js';
import type { SeedTenant } from '../seed/tenants.js';

/** A customer every three seconds or so: enough to move every figure, and a laptop stays quiet. */
const FROM_MS = 1500;
const TO_MS = 4500;
/** How long to leave what has failed alone. */
const AGAIN_MS = 5000;
const languages = ['es', 'en', 'pt'] as const;

/** Those who answer by themselves: the fewest agents of each tenant that speak every language. The others' desks are for people. */
export const automatic = ({ users }: Pick<SeedTenant, 'users'>): readonly Login[] =>
  users
    .filter(({ agent }) => agent !== null && languages.every((language) => agent.skills.includes(`lang:${language}`)))
    .map(loginOf);

/** Resolves after the time, and at once when nobody waits any more. */
const rest = (ms: number, signal: AbortSignal): Promise<void> => pause(ms, undefined, { signal }).catch(() => undefined);

/**
 * Does a piece of work again and again until the signal. What fails is said once, left alone for a while and tried again: somebody who
 * watches the platform stops parts of it, to see what it shows then.
 */
export const untilStopped = async (
  what: string,
  work: () => Promise<void>,
  {
    signal,
    say,
    againMs = AGAIN_MS,
  }: { readonly signal: AbortSignal; readonly say: (line: string) => void; readonly againMs?: number },
): Promise<void> => {
  let failing = false;
  while (!signal.aborted) {
    try {
      await work();
      if (failing && !signal.aborted) say(`${what}: goes on`);
      failing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!failing) say(`${what}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      failing = true;
      await rest(againMs, signal);
    }
  }
};

/**
 * Customers in an order of the seed's, for ever: whoever has written comes back with the same words when all others have. Files that get
 * lost are for the day: here they would be a warning every few minutes.
 */
export const customersFrom = function* (seed: number, scripts: readonly CustomerScript[]): Generator<CustomerScript> {
  const random = new Random(seed, 'observe');
  const quiet = scripts.map((script) => ({
    ...script,
    bursts: script.bursts.filter(({ messages }) => !messages.some(({ mediaLost }) => mediaLost)),
  }));
  for (;;) yield* random.shuffle(quiet);
};

/**
 * A light day that does not end: customers of the seed's day write, a few agents answer. Whoever looks at the figures sees them move.
 * Ends with the signal; never rejects.
 */
export const keepTraffic = async (context: StartContext, say: (line: string) => void): Promise<void> => {
  const { signal, seed, gatewayUrl } = context;
  const simulator = new SimulatorClient(context.simulatorUrl);
  const plan = planDay(seed, context.customers, context.numbers);
  const random = new Random(seed, 'observe pace');
  const waiting = customersFrom(seed, plan.scripts);
  let known = false;
  const customers = untilStopped(
    'customers',
    async () => {
      // The simulator's world may be a new one: it has no data of its own.
      if (!known) await simulator.populate(plan);
      known = true;
      const { phoneNumberId, bursts } = waiting.next().value as CustomerScript;
      for (const burst of bursts) await simulator.write(phoneNumberId, burst);
      await rest(random.integer(FROM_MS, TO_MS), signal);
    },
    { signal, say },
  );
  const agents = context.seeds.flatMap((tenant) =>
    automatic(tenant).map((login, index) =>
      untilStopped(
        login.username,
        async () => {
          // Signed in anew each time: what failed may have been the session. What they did is of no use to anybody here.
          const exchanges: Exchange[] = [];
          const agent = new ScriptedAgent(
            await ApiClient.signIn(gatewayUrl, login, exchanges),
            new Random(seed, `observe ${login.username}`),
            languages[index % languages.length] ?? 'es',
            tenant.queues.map(({ queueId }) => queueId),
          );
          const forget = setInterval(() => {
            for (const list of [exchanges, ...Object.values(agent.journal)]) if (Array.isArray(list)) list.length = 0;
          }, 60_000).unref();
          await agent.work(() => signal.aborted).finally(() => clearInterval(forget));
        },
        { signal, say },
      ),
    ),
  );
  await Promise.all([customers, ...agents]);
};
