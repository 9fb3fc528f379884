import { Command, InvalidArgumentError } from 'commander';

export type Flags = {
  /** Check what the day left behind, stop everything, exit 0 only if every check passed. */
  once: boolean;
  report: string | null;
  seed: number;
  customers: number;
  /** Play the day although it was played on this data before. */
  play: boolean;
  keepData: boolean;
  quiet: boolean;
  /** Figures for the platform team in the console, and traffic that goes on after the day. */
  observe: boolean;
};

const whole =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < minimum || value > maximum)
      throw new InvalidArgumentError(`must be a whole number from ${minimum} to ${maximum}`);
    return value;
  };

export const parseFlags = (argv: readonly string[]): Flags => {
  const command = new Command('npm start --')
    .description('Starts engines, services and console, plays a day of traffic, and stays up until Ctrl-C.')
    .option('--once', 'play and check on fresh data, stop everything, exit 0 only if every check passed', false)
    .option('--report <file>', 'write seed, durations and checks as JSON')
    .option('--seed <number>', 'input of the day', whole(0, 2 ** 31), 1)
    .option('--customers <number>', 'size of the day', whole(10, 100_000), 300)
    .option('--play', 'play the day again on data that has one', false)
    .option('--keep-data', 'with --once: leave the data in .centralita/once', false)
    .option('--quiet', 'show only warnings and errors of the services (their log files keep everything)', false)
    .option('--observe', 'show the figures of all processes in the console (/platform), and keep a light traffic going', false)
    .allowExcessArguments(false)
    .parse([...argv], { from: 'user' });
  const options = command.opts<Omit<Flags, 'report'> & { report?: string }>();
  return { ...options, report: options.report ?? null };
};
