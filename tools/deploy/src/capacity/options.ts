import { parseArgs } from 'node:util';
import { defaultLoad, type Load } from './model.js';

export const USAGE = `usage: npm run capacity -- --messages-per-second N [options]

  --messages-per-second N  inbound messages in the busiest minutes
  --mean-share S           mean load of a month over that peak (${defaultLoad.meanShare})
  --utilisation U          share of a core that a pod may use at the peak (${defaultLoad.utilisation})
  --replication N          copies that Kafka keeps (${defaultLoad.replicationFactor})
  --months N               for how long disks are planned (${defaultLoad.months})
  --json                   the plan as JSON`;

type CommandLine = { readonly load: Load; readonly json: boolean } | { readonly help: true } | { readonly problem: string };

type Bounds = { readonly least: number; readonly most: number; readonly whole?: true };
const bounds: Readonly<Record<string, Bounds>> = {
  'messages-per-second': { least: 0.001, most: 1e6 },
  'mean-share': { least: 0.001, most: 1 },
  utilisation: { least: 0.05, most: 1 },
  replication: { least: 1, most: 9, whole: true },
  months: { least: 1, most: 1_200, whole: true },
};

const optionNames = ['messages-per-second', 'mean-share', 'utilisation', 'replication', 'months'] as const;

/** What is wrong is said by the option's name, with what it may be. */
export const parseCommandLine = (args: readonly string[]): CommandLine => {
  const options = {
    ...Object.fromEntries(optionNames.map((name) => [name, { type: 'string' } as const])),
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true }) as { values: typeof values });
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (values['help'] === true) return { help: true };
  if (values['messages-per-second'] === undefined) return { problem: '--messages-per-second is required' };
  const given: Partial<Record<(typeof optionNames)[number], number>> = {};
  for (const name of optionNames) {
    const text = values[name];
    if (typeof text !== 'string') continue;
    const { least, most, whole } = bounds[name] as Bounds;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= least && value <= most) || (whole === true && !Number.isInteger(value)))
      return { problem: `--${name} must be a ${whole === true ? 'whole number' : 'number'} from ${least} to ${most}` };
    given[name] = value;
  }
  return {
    json: values['json'] === true,
    load: {
      messagesPerSecond: given['messages-per-second'] as number,
      meanShare: given['mean-share'] ?? defaultLoad.meanShare,
      utilisation: given.utilisation ?? defaultLoad.utilisation,
      replicationFactor: given.replication ?? defaultLoad.replicationFactor,
      months: given.months ?? defaultLoad.months,
    },
  };
};
