import { Command } from 'commander';
import type { Io, Outcome } from '../io.js';
import { exitOf, messageOf, type ExitCode } from './exit-codes.js';

/** What an operation has to say: to a person in lines, to a program as one JSON document. */
export type Answer = { readonly exitCode: ExitCode; readonly json: unknown; readonly lines: readonly string[] };

/**
 * A subcommand of `ops`: prints lines, or one JSON document with `--json`; a failure is one line on standard error, without stack or
 * values, and an exit code of the table.
 */
export const operation = (
  io: Io,
  outcome: Outcome,
  name: string,
  description: string,
  work: (command: Command) => Promise<Answer>,
): Command => {
  const command = new Command(name).description(description).option('--json', 'print one JSON document');
  return command.action(async () => {
    try {
      const { exitCode, json, lines } = await work(command);
      for (const line of command.opts<{ json?: true }>().json ? [JSON.stringify(json)] : lines) io.out(line);
      outcome.exitCode = exitCode;
    } catch (error) {
      io.err(`error: ${messageOf(error)}`);
      outcome.exitCode = exitOf(error);
    }
  });
};

export const counted = (count: number | bigint, what: string): string =>
  `${count.toLocaleString('en')} ${what}${BigInt(count) === 1n ? '' : 's'}`;
