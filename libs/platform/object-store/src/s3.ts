import { readFile } from 'node:fs/promises';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type PutObjectCommandInput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { PlatformError } from '@centralita/contracts';
import { requireKey } from './key.js';
import type { ObjectStore, StoredObject } from './port.js';

export type S3Options = {
  readonly bucket: string;
  readonly region: string;
  /** Address of an S3 that is not Amazon's. */
  readonly endpoint?: string;
  /** Bucket in the path and not in the host's name. @default false */
  readonly pathStyle?: boolean;
  /** Files with the credentials; without them the default chain of the SDK, which knows workload identity. */
  readonly credentialFiles?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly encryption?: 'AES256' | 'aws:kms';
  /** Every object is kept for this long from when it is put; the bucket must have been made with object lock. */
  readonly lock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number };
};

const DAY_MS = 86_400_000;
/** Mounted credentials are read again after this long, so that a rotation needs no restart. */
const CREDENTIALS_MS = 5 * 60_000;
const CONFLICT_TRIES = 4;
const NOT_FOUND = 404;
const CONFLICT = 409;
const PRECONDITION_FAILED = 412;

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/** Objects in one bucket. Retries what passes by itself; what does not is UPSTREAM_UNAVAILABLE with the store's own name for it. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;

  constructor(
    private readonly options: S3Options,
    private readonly now: () => number = Date.now,
  ) {
    this.#client = new S3Client(clientConfig(options));
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    const command = new PutObjectCommand(this.#input(key, bytes));
    await this.#ask(() => this.#client.send(command));
  }

  async putIfAbsent(key: string, bytes: Buffer): Promise<'stored' | 'taken'> {
    const input = { ...this.#input(key, bytes), IfNoneMatch: '*' };
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#client.send(new PutObjectCommand(input));
        return 'stored';
      } catch (error) {
        const status = statusOf(error);
        // 409: another conditional write was under way at the same time; it may still fail.
        if (status === CONFLICT && attempt < CONFLICT_TRIES) continue;
        if (status !== PRECONDITION_FAILED) throw unavailable(error);
        // The client itself tries again when an answer is lost: what stands there may be ours.
        return (await this.get(key))?.equals(bytes) ? 'stored' : 'taken';
      }
    }
  }

  async get(key: string): Promise<Buffer | null> {
    const Key = requireKey(key);
    return this.#orNull(async () => {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.options.bucket, Key }));
      const { buffer, byteOffset, byteLength } = (await Body?.transformToByteArray()) ?? new Uint8Array();
      return Buffer.from(buffer, byteOffset, byteLength);
    });
  }

  async head(key: string): Promise<{ readonly bytes: number } | null> {
    const Key = requireKey(key);
    return this.#orNull(async () => {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand({ Bucket: this.options.bucket, Key }));
      return { bytes: ContentLength ?? 0 };
    });
  }

  async *list(folder: string, after?: string): AsyncGenerator<StoredObject> {
    const Prefix = `${requireKey(folder)}/`;
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const page = await this.#ask(() =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.options.bucket,
            Prefix,
            ...(after === undefined ? {} : { StartAfter: after }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        ),
      );
      for (const { Key, Size } of page.Contents ?? []) if (Key !== undefined) yield { key: Key, bytes: Size ?? 0 };
      token = page.NextContinuationToken;
    }
  }

  #input(key: string, bytes: Buffer): PutObjectCommandInput {
    const { bucket, encryption, lock } = this.options;
    return {
      Bucket: bucket,
      Key: requireKey(key),
      Body: bytes,
      ...(encryption && { ServerSideEncryption: encryption }),
      ...(lock && { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: new Date(this.now() + lock.days * DAY_MS) }),
    };
  }

  async #orNull<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      // A bucket that is not there is no answer about an object.
      if (statusOf(error) === NOT_FOUND && !(error instanceof Error && error.name === 'NoSuchBucket')) return null;
      throw unavailable(error);
    }
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw unavailable(error);
    }
  }
}

const clientConfig = ({ region, endpoint, pathStyle, credentialFiles }: S3Options): S3ClientConfig => ({
  region,
  ...(endpoint !== undefined && { endpoint }),
  forcePathStyle: pathStyle ?? false,
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
  ...(credentialFiles && {
    credentials: async () => {
      const [accessKeyId, secretAccessKey] = await Promise.all(
        [credentialFiles.accessKeyId, credentialFiles.secretAccessKey].map(async (path) => (await readFile(path, 'utf8')).trim()),
      );
      return {
        accessKeyId: accessKeyId ?? '',
        secretAccessKey: secretAccessKey ?? '',
        expiration: new Date(Date.now() + CREDENTIALS_MS),
      };
    },
  }),
});

/** Without the error itself: it carries request and response, and with them what neither a log nor a client may see. */
const unavailable = (error: unknown): PlatformError => {
  const reason = error instanceof Error ? ('code' in error ? String(error.code) : error.name) : 'unknown';
  const status = statusOf(error);
  return new PlatformError('UPSTREAM_UNAVAILABLE', `the object store does not do it: ${reason}`, {
    reason,
    ...(status !== undefined && { status }),
  });
};
