import { describe, expect, it } from '@jest/globals';
import { encodeEvent, schemaUri } from '@centralita/contracts';
import { dumpLine } from '@centralita/event-log';
import { centralita } from '../runner.spec.js';
import { exitOf } from './command.js';

const TENANT = '0190b7c0-0000-7000-8000-000000000003';
const uuid = (n: number): string => `0190b7c0-0000-7000-8000-${String(n).padStart(12, '0')}`;
const accounts = JSON.stringify({ accounts: [{ tenantId: TENANT, wabaId: '501', timeZone: 'Europe/Madrid' }] });

const line = (offset: number, status: string): string =>
  dumpLine({
    topic: 'wa.inbound.v1',
    partition: 0,
    offset: BigInt(offset),
    timestamp: 0n,
    headers: { 'content-type': Buffer.from('application/cloudevents+json') },
    key: Buffer.from(uuid(1)),
    value: encodeEvent({
      specversion: '1.0',
      id: uuid(100 + offset),
      source: '/centralita/ingest',
      type: 'whatsapp.status.changed.v1',
      time: '2026-11-10T10:00:00.000Z',
      subject: uuid(2),
      datacontenttype: 'application/json',
      dataschema: schemaUri('whatsapp.status.changed.v1'),
      tenantid: TENANT,
      recordedtime: '2026-11-10T10:00:00.000Z',
      correlationid: uuid(3),
      causationid: null,
      data: {
        app: 'hotel',
        wabaId: '501',
        phoneNumberId: '501-1',
        messageRef: 'AAECAwQFBgcICQoLDA0ODw',
        sendId: null,
        status,
        providerTime: '2026-11-10T10:00:00.000Z',
        participant: '-',
        marketHint: { country: 'ES', prefix: '3460' },
        pricing: { model: 'PMP', type: 'regular', category: 'service', subtype: null, billable: true },
        origin: null,
        errorCodes: [],
        sealed: { id: uuid(4), subject: uuid(1), schema: 'wa.item.v1', kid: 'k', nonce: 'n', ct: 'c' },
      },
    }),
  });
const dump = [line(0, 'sent'), line(1, 'delivered')].join('\n');
const replay = (file: string, extra: string[] = [], files: Record<string, string> = {}) =>
  centralita(['replay', 'log.ndjson', '--accounts', 'accounts.json', ...extra], {
    'log.ndjson': file,
    'accounts.json': accounts,
    ...files,
  });

describe('centralita replay', () => {
  it('gives the same digest for the same log, and says that it is equal to the earlier run', async () => {
    const first = await replay(dump, ['--manifest', 'run.json']);
    expect(first.exitCode).toBe(0);
    expect(first.out.at(-1)).toBe('result: REPLAYED');
    const again = await replay(dump, ['--expect', 'run.json'], { 'run.json': first.written['run.json'] ?? '' });
    expect([again.exitCode, again.out.at(-1)]).toEqual([0, 'result: EQUAL']);
  });

  it('names the record of which one byte was changed: in the key, in the value, in a header', async () => {
    for (const field of ['key', 'value', 'headers'] as const) {
      const record = JSON.parse(dump.split('\n')[1] ?? '') as { key: string; value: string; headers: Record<string, string> };
      const flip = (text: string): string => {
        const bytes = Buffer.from(text, 'base64');
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        return bytes.toString('base64');
      };
      if (field === 'headers') record.headers['content-type'] = flip(record.headers['content-type'] ?? '');
      else record[field] = flip(record[field]);
      const ran = await replay([dump.split('\n')[0], JSON.stringify(record)].join('\n'));
      expect([field, ran.exitCode]).toEqual([field, 1]);
      expect(ran.out).toContain("record wa.inbound.v1/0/1 INVALID: hash value doesn't match\nresult: DIFFERENT");
    }
  });

  it('names a record that was replaced together with its hash, by the manifest', async () => {
    const { written } = await replay(dump, ['--manifest', 'run.json']);
    const forged = [line(0, 'sent'), line(1, 'failed')].join('\n');
    const ran = await replay(forged, ['--expect', 'run.json', '--json'], { 'run.json': written['run.json'] ?? '' });
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.out[0] ?? '')).toMatchObject({ difference: { where: 'wa.inbound.v1/0/1' } });
  });

  it('names a record that is missing at the end', async () => {
    const { written } = await replay(dump, ['--manifest', 'run.json']);
    const ran = await replay(line(0, 'sent'), ['--expect', 'run.json', '--json'], { 'run.json': written['run.json'] ?? '' });
    expect(JSON.parse(ran.out[0] ?? '')).toMatchObject({ difference: { where: 'wa.inbound.v1/0/1', what: 'is missing' } });
  });

  it('says which line is no record', async () => {
    const ran = await replay(`${dump}\n{"topic":1}`);
    expect([ran.exitCode, ran.err[0]]).toEqual([3, expect.stringContaining('line 3')]);
  });

  it('says which document is not what it should be, and which file is not there', async () => {
    const wrong = { 'log.ndjson': dump, 'no.json': '{', 'zone.json': accounts.replace('Europe/Madrid', 'Europe/Nowhere') };
    for (const [argv, exitCode, text] of [
      [['log.ndjson', '--accounts', 'no.json'], 3, 'no.json: not an accounts file'],
      [['log.ndjson', '--accounts', 'zone.json'], 3, 'zone.json: not an accounts file'],
      [['log.ndjson', '--accounts', 'accounts.json', '--expect', 'no.json'], 3, 'no.json: not a manifest'],
      [['absent.ndjson', '--accounts', 'accounts.json'], 64, 'error: cannot read or write a file: ENOENT'],
    ] as const) {
      const ran = await centralita(['replay', ...argv], { ...wrong, 'accounts.json': accounts });
      expect([ran.exitCode, ran.err[0], ran.out]).toEqual([exitCode, text, []]);
    }
  });

  it('writes the dump that it read, and names a hole in it', async () => {
    const { written } = await replay(dump, ['--dump', 'copy.ndjson']);
    expect(written['copy.ndjson']).toBe(`${dump}\n`);
    const ran = await replay([line(0, 'sent'), line(2, 'delivered')].join('\n'));
    expect([ran.exitCode, ran.err[0]]).toEqual([1, expect.stringContaining('offset 2 of wa.inbound.v1:0')]);
  });

  it('does not call a log different that it cannot reach', () => {
    expect((['LOG_UNAVAILABLE', 'TOPIC_UNKNOWN', 'OFFSET_OUT_OF_RANGE', 'RECORD_INVALID'] as const).map(exitOf)).toEqual([
      69, 69, 1, 3,
    ]);
  });

  it('wants either a file or brokers', async () => {
    expect((await centralita(['replay', '--accounts', 'accounts.json'], { 'accounts.json': accounts })).exitCode).toBe(64);
  });
});
