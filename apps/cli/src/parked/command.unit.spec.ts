import { describe, expect, it } from '@jest/globals';
import type { ParkedKeyPage, ParkedKeyView } from '@centralita/contracts';
import { centralita, type Ran } from '../runner.spec.js';

const service = 'http://127.0.0.1:4403';
const [one, two] = ['0197b2a0-0000-7000-8000-0000000000a1', 'wa.inbound.v1~3~17'];
const view = (key: string, overrides: Partial<ParkedKeyView> = {}): ParkedKeyView => ({
  key,
  group: 'conversation',
  code: 'RECORD_INVALID',
  since: '2026-11-23T10:00:00.000Z',
  records: 3,
  topics: [
    { topic: 'routing.events.v1', records: 1 },
    { topic: 'wa.inbound.v1', records: 2 },
  ],
  first: { topic: 'wa.inbound.v1', partition: 3, offset: '17', eventId: null },
  ...overrides,
});

type Asked = { readonly method: string; readonly path: string; readonly headers: Headers; readonly body: unknown };

/** Runs the command against answers in order; tells what was asked. */
const operate = async (
  argv: readonly string[],
  answers: readonly { readonly status?: number; readonly body: unknown }[],
  files: Readonly<Record<string, string>> = { token: 'a.b.c\n' },
  token: readonly string[] = ['--token-file', 'token'],
): Promise<Ran & { asked: Asked[] }> => {
  const asked: Asked[] = [];
  const next = answers.values();
  const ran = await centralita(['parked', ...argv, '--service', service, ...token], files, {
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      const text = await request.text();
      asked.push({
        method: request.method,
        path: `${pathname}${search}`,
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      });
      const { status = 200, body } = next.next().value ?? { body: {} };
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
    },
  });
  return { ...ran, asked };
};
const problem = (status: number, code: string): { status: number; body: unknown } => ({
  status,
  body: { type: 'urn:x', title: 't', status, code, detail: 'the detail', retryable: false },
});
const page = (items: ParkedKeyView[], nextCursor: string | null = null): { body: ParkedKeyPage } => ({
  body: { items, nextCursor },
});

describe('centralita parked', () => {
  it('lists all pages as a table', async () => {
    const ran = await operate(['list'], [page([view(one)], 'c=1'), page([view(two, { records: 12_000, first: null })])]);
    expect(ran).toMatchObject({ exitCode: 0, err: [] });
    expect(ran.out).toEqual([
      'KEY                                   SINCE                     CODE            RECORDS  FIRST               BY TOPIC',
      `${one}  2026-11-23T10:00:00.000Z  RECORD_INVALID  3        wa.inbound.v1/3/17  routing.events.v1 1, wa.inbound.v1 2`,
      `${two}                    2026-11-23T10:00:00.000Z  RECORD_INVALID  12000    -                   routing.events.v1 1, wa.inbound.v1 2`,
      '2 parked keys in group conversation',
    ]);
    expect(ran.asked.map(({ path }) => path)).toEqual([
      '/v1/operations/parked?limit=100',
      '/v1/operations/parked?limit=100&cursor=c%3D1',
    ]);
    expect(ran.asked[0]?.headers.get('authorization')).toBe('Bearer a.b.c');
    expect((await operate(['list'], [page([])])).out).toEqual(['nothing is parked']);
    const json = await operate(['list', '--json'], [page([view(one)])]);
    expect(JSON.parse(json.out.join(''))).toEqual({ items: [view(one)] });
  });

  it('shows one key, and exits 2 when it is not parked', async () => {
    const ran = await operate(['show', one], [page([view(one)])]);
    expect([ran.exitCode, ran.out]).toEqual([
      0,
      [
        `key ${one} in group conversation`,
        'since 2026-11-23T10:00:00.000Z: RECORD_INVALID',
        'first wa.inbound.v1/3/17, event unreadable',
        'waiting 1 record of routing.events.v1',
        'waiting 2 records of wa.inbound.v1',
        '3 records',
      ],
    ]);
    expect(ran.asked.map(({ path }) => path)).toEqual([`/v1/operations/parked?limit=1&key=${one}`]);
    expect((await operate(['show', one], [page([])])).exitCode).toBe(2);
  });

  it('retries, and says when the record fails again: exit code 1', async () => {
    const outcome = { key: one, group: 'conversation', applied: 1, blocked: null };
    const free = await operate(['retry', one], [{ body: outcome }]);
    expect(free).toMatchObject({
      exitCode: 0,
      out: [`retried ${one} in group conversation: 1 record applied, the key is free`],
    });
    expect(free.asked).toMatchObject([{ method: 'POST', path: `/v1/operations/parked/${one}/retry` }]);
    const blocked = await operate(['retry', two], [{ body: { ...outcome, key: two, applied: 0, blocked: 'EVENT_UNKNOWN' } }]);
    expect(blocked).toMatchObject({
      exitCode: 1,
      out: [`retried ${two} in group conversation: 0 records applied, still parked, the next record fails with EVENT_UNKNOWN`],
    });
  });

  it('skips the record that is the first, by its name', async () => {
    const outcome = { key: one, group: 'conversation', applied: 2, blocked: null };
    const ran = await operate(['skip', one], [page([view(one)]), { body: outcome }]);
    expect(ran).toMatchObject({
      exitCode: 0,
      out: [`skipped wa.inbound.v1/3/17 of ${one} in group conversation: 2 records applied, the key is free`],
    });
    const record = { topic: 'wa.inbound.v1', partition: 3, offset: '17' };
    expect(ran.asked.map(({ path, body }) => [path, body])).toEqual([
      [`/v1/operations/parked?limit=1&key=${one}`, undefined],
      [`/v1/operations/parked/${one}/skip`, { record }],
    ]);
    const named = await operate(['skip', one, '--record', 'wa.inbound.v1/3/17', '--json'], [{ body: outcome }]);
    expect([named.asked.map(({ body }) => body), JSON.parse(named.out.join(''))]).toEqual([[{ record }], outcome]);
  });

  it.each([
    ['not parked', problem(404, 'NOT_FOUND'), 2, /not parked/],
    ['another record is the first now', problem(412, 'VERSION_CONFLICT'), 2, /list it again/],
    ['forbidden', problem(403, 'FORBIDDEN'), 77, /FORBIDDEN/],
    ['an old token', problem(401, 'UNAUTHENTICATED'), 77, /five minutes/],
    ['a service in trouble', problem(503, 'DATABASE_UNAVAILABLE'), 69, /DATABASE_UNAVAILABLE/],
    ['a server that is none of ours', { status: 502, body: '<html>' }, 69, /answers 502/],
    ['an answer of something else', { body: { hello: 'world' } }, 3, /not as a service/],
  ])('tells what went wrong: %s', async (_what, answer, exitCode, said) => {
    for (const argv of [
      ['retry', one],
      ['skip', one, '--record', 'wa.inbound.v1/3/17'],
    ]) {
      const ran = await operate(argv, [answer]);
      expect(ran).toMatchObject({ exitCode, out: [] });
      expect(ran.err.join('\n')).toMatch(said);
      expect(ran.err.join('\n')).not.toContain('a.b.c');
    }
  });

  it('tells when nobody answers, and when there is nothing to skip', async () => {
    const unreachable = await centralita(['parked', 'list', '--service', service], {}, { env: { CENTRALITA_TOKEN: 'a.b.c' } });
    expect(unreachable).toMatchObject({ exitCode: 69, err: [`error: ${service} cannot be reached: ENOTFOUND`] });
    expect(await operate(['skip', one], [page([])])).toMatchObject({ exitCode: 2 });
    expect(await operate(['skip', one], [page([view(one, { first: null })])])).toMatchObject({ exitCode: 2 });
  });

  it('keeps wrong usage apart', async () => {
    for (const argv of [['retry'], ['retry', 'a key'], ['skip', one, '--record', 'wa.inbound.v1/3'], ['give-up', one]])
      expect(await operate(argv, [])).toMatchObject({ exitCode: 64, asked: [] });
    expect(await operate(['list'], [], {})).toMatchObject({ exitCode: 64, err: ['error: cannot read token: ENOENT'] });
    expect(await operate(['list'], [], {}, [])).toMatchObject({ exitCode: 64, asked: [] });
    expect(await operate(['list'], [], { token: 'two words' })).toMatchObject({ exitCode: 64, asked: [] });
    expect(await centralita(['parked', 'list', '--service', 'file:///etc'], {})).toMatchObject({ exitCode: 64 });
  });
});
