import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { BadRequestException, type ArgumentsHost } from '@nestjs/common';
import { loadConfig, serviceEnv } from './config.js';
import { ProblemFilter } from './errors/filter.js';
import { createLogger, NestLogger, type Logger } from './logger.js';
import { createMetrics } from './metrics.js';
import { measureBatches } from './runtime/consumer.js';
import { DrainController, drainOnSignals } from './runtime/drain.js';

/** One of each kind of what nobody may find in a log. */
const canaries = {
  phone: '+34600111222',
  name: 'Canaria Pájaro',
  text: 'my parcel from the canary islands',
  bsuid: 'ES.13491208655302741918',
  email: 'canary@example.org',
  wamid: 'wamid.HBgLMzQ2MDAxMTEyMjIVAgASGBQzQQ==',
} as const;
const all = Object.values(canaries);
/** What can be told from other words by its shape alone. */
const byShape = [canaries.phone, canaries.bsuid, canaries.email, canaries.wamid];

const capture = (): { logger: Logger; lines: () => string } => {
  const written: string[] = [];
  const destination = { write: (line: string): void => void written.push(line) };
  return { logger: createLogger({ service: 'conversation', level: 'trace', destination }), lines: () => written.join('') };
};
const found = (text: string, searched: readonly string[] = all): string[] => searched.filter((canary) => text.includes(canary));
const nested = (depth: number, value: unknown): unknown => (depth === 0 ? value : { inner: nested(depth - 1, value) });

/** An error as drivers and parsers throw it: what broke them stands in every text that they have. */
const foreign = (canary: string): Error =>
  Object.assign(new Error(`duplicate key (phone)=(${canary})`, { cause: new SyntaxError(`unexpected token in ${canary}`) }), {
    name: canary,
    code: canary,
    detail: canary,
    parameters: [canary],
    query: canary,
    address: canary,
  });

describe('canaries of personal data in logs', () => {
  it.each(Object.entries(canaries))(
    'cuts %s out of fields that hold such a thing, at any depth, in lists and in children',
    (kind, canary) => {
      const { logger, lines } = capture();
      const fields = { [kind]: canary, data: canary, body: { text: canary }, payload: [canary], headers: { cookie: canary } };
      for (let depth = 0; depth < 12; depth += 1) logger.info({ event: nested(depth, fields) }, 'nested');
      logger.warn({ list: [[{ deeper: [fields] }]], bytes: Buffer.from(canary) }, 'lists');
      logger.info({ record: { toJSON: () => fields } }, 'objects');
      logger
        .child(fields)
        .child({ more: fields })
        .error({ a: { b: { c: fields } } }, 'children');
      logger.info(fields, 'bare');
      expect(lines().split('\n').length).toBeGreaterThan(15);
      expect(found(lines())).toEqual([]);
    },
  );

  it.each(all)('says of a foreign error no word of its own: %s', (canary) => {
    const { logger, lines } = capture();
    const error = foreign(canary);
    logger.error({ err: error }, 'as err');
    logger.error({ error }, 'as error');
    logger.error({ failure: error, deep: { failures: [error] } }, 'under another name');
    logger.error({ err: new AggregateError([error], canary) }, 'of many');
    logger.error({ err: canary }, 'no error at all');
    logger.error(
      {
        err: new PlatformError(
          'INTERNAL',
          'it failed',
          { row: { phone: canary, deep: nested(6, { text: canary }) } },
          { cause: error },
        ),
      },
      'ours',
    );
    const nest = new NestLogger(logger);
    nest.error(error, error.stack, 'ExceptionsHandler');
    nest.fatal(error);
    nest.warn({ body: canary }, 'Router');
    expect(found(lines(), [canary])).toEqual([]);
    expect(lines()).toContain('logger.canary');
  });

  it('sends and logs a problem without what the client or a library wrote', () => {
    const { logger, lines } = capture();
    for (const canary of all) {
      const sent: string[] = [];
      const reply = {
        sent: false,
        code: () => reply,
        header: () => reply,
        headers: () => reply,
        type: () => reply,
        send: (body: string) => void sent.push(body),
      };
      const request = {
        method: 'POST',
        routeOptions: { url: '/v1/things/:id' },
        body: { text: canary },
        headers: { cookie: canary },
        url: `/v1/things/${canary}`,
      };
      // Of Nest's host and of a node process, only what the filter and the handlers below touch.
      const http = { getRequest: () => request, getResponse: () => reply };
      const host = { getType: () => 'http', switchToHttp: () => http } as unknown as ArgumentsHost;
      const filter = new ProblemFilter(logger);
      for (const error of [
        foreign(canary),
        new BadRequestException(canary),
        new PlatformError('INTERNAL', 'it failed', {}, { cause: foreign(canary) }),
        canary,
      ])
        filter.catch(error, host);
      expect(sent).toHaveLength(4);
      expect(found(sent.join(''))).toEqual([]);
    }
    expect(found(lines())).toEqual([]);
  });

  it('tells of a batch that cannot be applied where it stands, not what is in it', async () => {
    const { logger, lines } = capture();
    const metrics = createMetrics({ service: 'conversation', defaults: false });
    for (const canary of all) {
      const apply = measureBatches(metrics, logger, () =>
        Promise.reject(new PlatformError('OFFSET_OUT_OF_RANGE', 'records are missing', {}, { cause: foreign(canary) })),
      );
      const batch = { topic: 'wa.inbound.v1', partition: 3, records: [{ value: Buffer.from(canary) }] };
      await expect(apply(batch as never, () => Promise.resolve(), new Set() as never)).rejects.toThrow();
    }
    expect(lines()).toContain('wa.inbound.v1');
    expect(found(lines())).toEqual([]);
    expect(found(await metrics.registry.metrics())).toEqual([]);
  });

  it('ends by what nobody has handled without repeating it', async () => {
    const kinds = ['unhandledRejection', 'uncaughtException'] as const;
    for (const kind of kinds) {
      const { logger, lines } = capture();
      const signals = ['SIGTERM', 'SIGINT'] as const;
      const before = new Set([...kinds, ...signals].flatMap((event) => process.listeners(event as 'SIGTERM')));
      const exits: number[] = [];
      drainOnSignals(new DrainController(logger), logger, (code) => void exits.push(code));
      const added = process.listeners(kind as 'uncaughtException').filter((listener) => !before.has(listener as never));
      for (const event of [...kinds, ...signals])
        for (const listener of process.listeners(event as 'SIGTERM'))
          if (!before.has(listener)) process.removeListener(event, listener);
      for (const canary of all) for (const listener of added) (listener as unknown as (error: unknown) => void)(foreign(canary));
      while (exits.length === 0) await Promise.resolve();
      expect(lines()).toContain(kind);
      expect(found(lines())).toEqual([]);
    }
  });

  it('quotes no setting that is wrong', () => {
    const env = Object.fromEntries(
      Object.keys(serviceEnv.shape).map((name) => [name, `${canaries.phone} ${canaries.name} ${canaries.email}`]),
    );
    let told = '';
    try {
      loadConfig(env, serviceEnv);
    } catch (error) {
      told = `${String(error)}${JSON.stringify(error)}`;
    }
    expect(told).toContain('DATABASE_URL');
    expect(found(told)).toEqual([]);
  });

  it('has a last fence for mistakes: what can be told by its shape does not get out in a message either', () => {
    const { logger, lines } = capture();
    for (const canary of byShape) {
      logger.info(`received ${canary}.`);
      logger.info({ note: `from ${canary}`, list: [canary] }, 'free text');
    }
    expect(found(lines(), byShape)).toEqual([]);
    for (const line of lines().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('svc', 'conversation');
  });

  it('leaves alone what only looks alike: ids, times, offsets, versions, stacks', () => {
    const { logger, lines } = capture();
    const harmless = {
      event_id: '0190c1f2-7c3a-7def-8123-456789abcdef',
      offset: '12345678901234',
      at: '2026-11-23T17:20:00.000Z',
      where: 'node_modules/@nestjs/core/router.js:12:3',
      version: 'kafkajs@2.2.4',
      route: '/v1/conversations/:id',
    };
    logger.info(harmless, 'appended 123456789 records');
    expect(JSON.parse(lines())).toMatchObject({ ...harmless, msg: 'appended 123456789 records' });
  });
});
