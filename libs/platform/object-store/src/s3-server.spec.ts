import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What came with a PUT, for specs that look at headers. */
export type Seen = { readonly method: string; readonly key: string; readonly headers: IncomingMessage['headers'] };
export type S3Server = {
  readonly endpoint: string;
  readonly seen: Seen[];
  /** The next requests are answered with these statuses instead. */
  readonly failures: number[];
  close(): Promise<void>;
};

export const ACCESS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
export const BUCKET = 'objects';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Signature version 4 as Amazon documents it, over what arrived; null when it holds, else why not. */
const signatureProblem = (request: IncomingMessage, url: URL, body: Buffer): string | null => {
  const [, date, region, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\d{8})\/([a-z0-9-]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  if (!date || !region || !signedHeaders) return 'no signature';
  const payload = String(request.headers['x-amz-content-sha256']);
  if (payload !== sha256(body)) return 'the body is another one';
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, url.pathname, query, headers.join(''), signedHeaders, payload].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', String(request.headers['x-amz-date']), scope, sha256(canonical)].join('\n');
  const key = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${ACCESS.secretAccessKey}`, date), region));
  return hmac(key, text).toString('hex') === signature ? null : 'SignatureDoesNotMatch';
};

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

/** One bucket in memory, by path: signatures are checked, `If-None-Match: *` is kept, lists come in pages of two. */
export const startS3Server = async (): Promise<S3Server> => {
  const objects = new Map<string, Buffer>();
  const seen: Seen[] = [];
  const failures: number[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const end = (status: number, code?: string): void =>
      void response.writeHead(status, { 'content-type': 'application/xml' }).end(code && `<Error><Code>${code}</Code></Error>`);
    const failure = failures.shift();
    if (failure !== undefined) return end(failure, 'InternalError');
    if (signatureProblem(request, url, body) !== null) return end(403, 'SignatureDoesNotMatch');
    const [, bucket, ...rest] = url.pathname.split('/');
    if (bucket !== BUCKET) return end(404, 'NoSuchBucket');
    const key = decodeURIComponent(rest.join('/'));
    seen.push({ method: request.method ?? '', key, headers: request.headers });
    const object = objects.get(key);
    if (request.method === 'PUT') {
      if (request.headers['if-none-match'] === '*' && object) return end(412, 'PreconditionFailed');
      if (
        request.headers['x-amz-object-lock-mode'] &&
        !request.headers['x-amz-checksum-crc32'] &&
        !request.headers['content-md5']
      )
        return end(400, 'InvalidRequest');
      objects.set(key, body);
      return end(200);
    }
    if (key === '') {
      const from = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? '';
      const keys = [...objects.keys()]
        .sort()
        .filter((each) => each.startsWith(url.searchParams.get('prefix') ?? '') && each > from);
      const contents = keys
        .slice(0, 2)
        .map((each) => `<Contents><Key>${each}</Key><Size>${objects.get(each)?.length}</Size></Contents>`);
      const next = keys.length > 2 ? `<NextContinuationToken>${keys[1]}</NextContinuationToken>` : '';
      const xml = `<ListBucketResult><IsTruncated>${keys.length > 2}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
      return void response.writeHead(200, { 'content-type': 'application/xml' }).end(xml);
    }
    if (!object) return end(404, 'NoSuchKey');
    response.writeHead(200, { 'content-length': object.length }).end(request.method === 'HEAD' ? undefined : object);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    failures,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
