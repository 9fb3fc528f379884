import { ParkedHandle, ParkedKeyPage, ParkedOutcome, RecordPlace, type ParkedKeyView } from '@centralita/contracts';
import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { reasonOf, type Io, type Outcome } from '../io.js';
import { CallFailed, EXIT, OperatedService } from './service.js';
import { detailsOf, outcomeLine, placeText, tableOf } from './text.js';

type Place = z.infer<typeof RecordPlace>;
type Options = { service: URL; tokenFile?: string; json?: true };

const HELP = `
A key is parked when one of its records cannot be applied: its later records wait behind it, on all topics of the consumer group,
and other keys go on. Services are asked one by one, at their own address (not through the gateway).
The token: sign in at the gateway as somebody of the platform team and save what /auth/operator-token?service=NAME answers;
give it as --token-file or in CENTRALITA_TOKEN. It lives five minutes.
Exit codes: 0 done, 1 a record failed again and its key stays parked, 2 not parked (or another record is the first now),
3 malformed, 64 wrong usage, 69 the service cannot be reached or cannot do it now, 77 refused.`;

const serviceUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new InvalidArgumentError('not an http or https address');
  return url;
};

const keyName = (text: string): string => {
  if (!ParkedHandle.safeParse(text).success) throw new InvalidArgumentError('not a key as `parked list` shows it');
  return text;
};

const recordPlace = (text: string): Place => {
  const [, topic, partition, offset] = /^([^/]+)\/(\d+)\/(\d+)$/.exec(text) ?? [];
  const place = RecordPlace.safeParse({ topic, partition: Number(partition), offset });
  if (!place.success) throw new InvalidArgumentError('not a record: TOPIC/PARTITION/OFFSET');
  return place.data;
};

/** `centralita parked`: see what is parked in a service, have it applied again, give a record up. */
export const parkedCommand = (io: Io, outcome: Outcome): Command => {
  const parked = new Command('parked').description('operate the parked records of a service').addHelpText('after', HELP);

  const tokenOf = async (command: Command, { tokenFile }: Options): Promise<string> => {
    const given =
      tokenFile === undefined
        ? (io.env['CENTRALITA_TOKEN'] ?? '')
        : Buffer.from(
            await io
              .readFile(tokenFile)
              .catch((error: unknown) => command.error(`error: cannot read ${tokenFile}: ${reasonOf(error)}`)),
          ).toString('utf8');
    const token = given.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) command.error('error: give a token, as --token-file or in CENTRALITA_TOKEN');
    return token;
  };

  const subcommand = (
    name: string,
    description: string,
    work: (service: OperatedService, command: Command) => Promise<{ exitCode: number; json: unknown; lines: readonly string[] }>,
  ): Command => {
    const command = parked
      .command(name)
      .description(description)
      .requiredOption('--service <url>', 'address of the service, for example http://127.0.0.1:4403', serviceUrl)
      .option('--token-file <file>', 'file with the token of an operator; default: CENTRALITA_TOKEN')
      .option('--json', 'print one JSON document');
    return command.action(async () => {
      const options = command.opts<Options>();
      const service = new OperatedService(io, options.service, await tokenOf(command, options));
      try {
        const { exitCode, json, lines } = await work(service, command);
        for (const line of options.json ? [JSON.stringify(json)] : lines) io.out(line);
        outcome.exitCode = exitCode;
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        io.err(`error: ${error.message}`);
        outcome.exitCode = error.exitCode;
      }
    });
  };

  subcommand('list', 'list parked keys, oldest first', async (service) => {
    const items: ParkedKeyView[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path: string = `?limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const page: ParkedKeyPage = await service.call({ method: 'GET', path, answer: ParkedKeyPage });
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return { exitCode: EXIT.done, json: { items }, lines: tableOf(items) };
  });

  subcommand('show', 'show one parked key: its first record, and how many wait behind it', async (service, command) => {
    const key = command.processedArgs[0] as string;
    const path = `?limit=1&key=${encodeURIComponent(key)}`;
    const { items } = await service.call({ method: 'GET', path, answer: ParkedKeyPage });
    const [item] = items;
    if (!item) throw new CallFailed('this key is not parked there, or not for this tenant', EXIT.notParked);
    return { exitCode: EXIT.done, json: item, lines: detailsOf(item) };
  }).argument('<key>', 'key as `parked list` shows it', keyName);

  const decided = (what: string, result: ParkedOutcome): { exitCode: number; json: ParkedOutcome; lines: string[] } => ({
    exitCode: result.blocked === null ? EXIT.done : EXIT.blocked,
    json: result,
    lines: [outcomeLine(what, result)],
  });

  subcommand('retry', 'apply the records of a parked key again, in order', async (service, command) => {
    const key = command.processedArgs[0] as string;
    const path = `/${encodeURIComponent(key)}/retry`;
    return decided(`retried ${key}`, await service.call({ method: 'POST', path, answer: ParkedOutcome }));
  }).argument('<key>', 'key as `parked list` shows it', keyName);

  subcommand('skip', 'give the first record of a parked key up, and apply what waits behind it', async (service, command) => {
    const key = command.processedArgs[0] as string;
    const record = command.opts<{ record?: Place }>().record ?? (await firstOf(service, key));
    const path = `/${encodeURIComponent(key)}/skip`;
    const result = await service.call({ method: 'POST', path, body: { record }, answer: ParkedOutcome });
    return decided(`skipped ${placeText(record)} of ${key}`, result);
  })
    .argument('<key>', 'key as `parked list` shows it', keyName)
    .option('--record <place>', 'skip only if this is the first, TOPIC/PARTITION/OFFSET', recordPlace);

  return parked;
};

/** The record that is given up is named to the service, so that a decision of somebody else in between is not passed over. */
const firstOf = async (service: OperatedService, key: string): Promise<Place> => {
  const path = `?limit=1&key=${encodeURIComponent(key)}`;
  const { items } = await service.call({ method: 'GET', path, answer: ParkedKeyPage });
  if (!items[0]) throw new CallFailed('this key is not parked there, or not for this tenant', EXIT.notParked);
  if (!items[0].first) throw new CallFailed('somebody works on this key right now: list it again', EXIT.notParked);
  const { topic, partition, offset } = items[0].first;
  return { topic, partition, offset };
};
