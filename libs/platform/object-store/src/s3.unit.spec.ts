import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { objectStoreContract } from './contract.spec.js';
import { ACCESS, BUCKET, startS3Server, type S3Server } from './s3-server.spec.js';
import { S3Store, type S3Options } from './s3.js';

let folder: string;
let credentialFiles: { accessKeyId: string; secretAccessKey: string };
const servers: S3Server[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 's3-'));
  credentialFiles = { accessKeyId: join(folder, 'id'), secretAccessKey: join(folder, 'secret') };
  await writeFile(credentialFiles.accessKeyId, `${ACCESS.accessKeyId}\n`);
  await writeFile(credentialFiles.secretAccessKey, `${ACCESS.secretAccessKey}\n`);
});
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
afterAll(() => rm(folder, { recursive: true }));

const start = async (options: Partial<S3Options> = {}, now?: () => number): Promise<{ sut: S3Store; server: S3Server }> => {
  const server = await startS3Server();
  servers.push(server);
  const { endpoint } = server;
  const base = { bucket: BUCKET, region: 'eu-west-1', endpoint, pathStyle: true, credentialFiles };
  return { sut: new S3Store({ ...base, ...options }, now), server };
};

describe('objects in a bucket', () => {
  // The server checks the signature of each request, so all of this also holds the signing.
  objectStoreContract(async () => (await start()).sut);

  it('asks for encryption and for a lock on every object', async () => {
    const now = Date.parse('2026-11-23T10:00:00.000Z');
    const { sut, server } = await start({ encryption: 'aws:kms', lock: { mode: 'COMPLIANCE', days: 3650 } }, () => now);
    await sut.put('a', Buffer.from('x'));
    await sut.putIfAbsent('b', Buffer.from('x'));
    const expected = {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-object-lock-retain-until-date': expect.stringMatching(/^2036-11-20T10:00:00/),
      'x-amz-checksum-crc32': expect.any(String),
    };
    expect(server.seen.map(({ key, headers }) => [key, headers])).toEqual([
      ['a', expect.objectContaining(expected)],
      ['b', expect.objectContaining({ ...expected, 'if-none-match': '*' })],
    ]);
    expect(server.seen[0]?.headers).not.toHaveProperty('if-none-match');
  });

  it('goes on after an error that passes, and names one that does not, without a secret', async () => {
    const { sut, server } = await start();
    server.failures.push(503);
    await sut.put('a', Buffer.from('x'));
    server.failures.push(500, 500, 500);
    const failed = await sut.get('a').catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { status: 500 } });
    expect(JSON.stringify(failed)).not.toContain(ACCESS.secretAccessKey);
    expect((failed as Error).cause).toBeUndefined();
  });

  it('takes a conditional write that is under way elsewhere for no answer, and asks again', async () => {
    const { sut, server } = await start();
    server.failures.push(409);
    expect(await sut.putIfAbsent('a', Buffer.from('x'))).toBe('stored');
  });

  it('does not call an object absent when the bucket is, or when it may not look', async () => {
    const { sut } = await start({ bucket: 'other' });
    await expect(sut.get('a')).rejects.toMatchObject({ details: { reason: 'NoSuchBucket' } });
    const wrong = join(folder, 'wrong');
    await writeFile(wrong, 'not the secret');
    const { sut: stranger } = await start({ credentialFiles: { ...credentialFiles, secretAccessKey: wrong } });
    await expect(stranger.get('a')).rejects.toMatchObject({ details: { reason: 'SignatureDoesNotMatch', status: 403 } });
  });
});
