import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { objectStoreEnv, objectStoreOptions } from './settings.js';

const read = (prefix: 'MEDIA' | 'ARCHIVE', env: Record<string, string>) => {
  const refused: string[] = [];
  const parsed = z.object(objectStoreEnv(prefix)).parse(env);
  return { options: objectStoreOptions(prefix, parsed, (name, message) => void refused.push(`${name} ${message}`)), refused };
};

describe('settings of an object store', () => {
  it('are a folder, or a bucket with all that belongs to it', () => {
    expect(read('MEDIA', { MEDIA_DIR: '/media' })).toEqual({ options: { folder: '/media' }, refused: [] });
    const { options, refused } = read('ARCHIVE', {
      ARCHIVE_S3_BUCKET: 'log',
      ARCHIVE_S3_ENDPOINT: 'https://s3.example.test',
      ARCHIVE_S3_PATH_STYLE: 'true',
      ARCHIVE_S3_ACCESS_KEY_ID_FILE: '/id',
      ARCHIVE_S3_SECRET_ACCESS_KEY_FILE: '/secret',
      ARCHIVE_S3_SSE: 'AES256',
      ARCHIVE_OBJECT_LOCK_MODE: 'GOVERNANCE',
      ARCHIVE_OBJECT_LOCK_DAYS: '30',
    });
    expect(refused).toEqual([]);
    expect(options).toEqual({
      s3: {
        bucket: 'log',
        region: 'us-east-1',
        endpoint: 'https://s3.example.test',
        pathStyle: true,
        credentialFiles: { accessKeyId: '/id', secretAccessKey: '/secret' },
        encryption: 'AES256',
        lock: { mode: 'GOVERNANCE', days: 30 },
      },
    });
  });

  it.each([
    ['MEDIA', {}, 'MEDIA_DIR or MEDIA_S3_BUCKET is required'],
    ['MEDIA', { MEDIA_DIR: '/m', MEDIA_S3_BUCKET: 'b' }, 'MEDIA_DIR is of no use beside MEDIA_S3_BUCKET'],
    [
      'MEDIA',
      { MEDIA_S3_BUCKET: 'b', MEDIA_S3_ACCESS_KEY_ID_FILE: '/id' },
      'MEDIA_S3_SECRET_ACCESS_KEY_FILE is required with the other half of the pair',
    ],
    [
      'ARCHIVE',
      { ARCHIVE_S3_BUCKET: 'b', ARCHIVE_OBJECT_LOCK_DAYS: '3' },
      'ARCHIVE_OBJECT_LOCK_MODE is required with the other half of the pair',
    ],
    [
      'ARCHIVE',
      { ARCHIVE_DIR: '/a', ARCHIVE_OBJECT_LOCK_MODE: 'COMPLIANCE', ARCHIVE_OBJECT_LOCK_DAYS: '3' },
      'ARCHIVE_OBJECT_LOCK_MODE needs ARCHIVE_S3_BUCKET: a folder has no lock',
    ],
  ] as const)('of %s refuse %j', (prefix, env, message) => {
    expect(read(prefix, env)).toEqual({ options: null, refused: [message] });
  });
});
