import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FeedPage, Pointer } from '@centralita/contracts';
import { openApiDocument, route } from '@centralita/platform-nest';
import { z } from 'zod';

export type SeenRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};
type Answer = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string };

/** A service as the gateway sees one: its API document, a feed, and answers that a spec chooses. */
export class TestUpstream {
  readonly seen: SeenRequest[] = [];
  answer: (request: SeenRequest) => Answer | Promise<Answer> = () => ({ body: '{}' });
  readonly #pointers: Pointer[] = [];
  #server: Server | undefined;
  #wake = new Set<() => void>();

  constructor(private readonly document: unknown) {}

  async start(port = 0): Promise<string> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://x');
        if (url.pathname === '/openapi.json') return void response.end(JSON.stringify(this.document));
        if (url.pathname === '/v1/feed')
          return void this.#feed(url).then((page) =>
            page === 'gone' ? response.writeHead(410).end() : response.end(JSON.stringify(page)),
          );
        const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
        this.seen.push(seen);
        void Promise.resolve(this.answer(seen)).then(({ status = 200, headers = {}, body: text = '' }) =>
          response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.#server = server;
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    for (const wake of [...this.#wake]) wake();
    return new Promise((resolve) => {
      if (!this.#server) return resolve();
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Something happened: everybody who waits is told. */
  publish(...pointers: Pointer[]): void {
    this.#pointers.push(...pointers);
    for (const wake of [...this.#wake]) wake();
  }

  /** It was put back to before its newest pointers. */
  forget(count: number): void {
    this.#pointers.splice(-count);
    for (const wake of [...this.#wake]) wake();
  }

  async #feed(url: URL): Promise<FeedPage | 'gone'> {
    const cursor = url.searchParams.get('cursor');
    if (cursor === null) return { items: [], cursor: String(this.#pointers.length) };
    const page = (): FeedPage | 'gone' =>
      Number(cursor) > this.#pointers.length
        ? 'gone'
        : {
            items: this.#pointers.slice(Number(cursor), Number(cursor) + 2),
            cursor: String(Math.min(this.#pointers.length, Number(cursor) + 2)),
          };
    const empty = (found: FeedPage | 'gone'): boolean => found !== 'gone' && found.items.length === 0;
    const wait = Number(url.searchParams.get('wait') ?? 0);
    if (empty(page()) && wait > 0)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#wake.delete(done);
          resolve();
        };
        const timer = setTimeout(done, wait * 1000);
        this.#wake.add(done);
      });
    return page();
  }
}

const response = z.object({});
const id = z.object({ id: z.string() });
const audited = (action: string, resource: string) => ({ audited: { action, resource } });
const command = { idempotent: true, status: 202, body: z.object({}), response } as const;

/** One route of each kind. */
export const documents = {
  conversation: openApiDocument('conversation', [
    route({
      method: 'GET',
      path: '/v1/inbox',
      summary: 's',
      roles: ['agent', 'supervisor'],
      response,
      ...audited('inbox.read', 'inbox'),
    }),
    route({
      method: 'GET',
      path: '/v1/conversations/:id',
      summary: 's',
      roles: ['agent'],
      params: id,
      response,
      ...audited('conversation.read', 'conversation'),
    }),
    route({
      method: 'POST',
      path: '/v1/conversations/:id/replies',
      summary: 's',
      roles: ['agent'],
      params: id,
      ifMatch: 'required',
      ...command,
    }),
    route({ method: 'GET', path: '/v1/templates', summary: 's', roles: ['agent'], response }),
    route({ method: 'GET', path: '/v1/statements', summary: 'not its own', roles: ['agent'], response }),
    route({ method: 'GET', path: '/v1/feed', summary: 's', roles: ['agent', 'platform'], response }),
  ]),
  routing: openApiDocument('routing', [
    route({ method: 'GET', path: '/v1/agents', summary: 's', roles: ['agent'], response }),
    route({ method: 'PUT', path: '/v1/agents/:id', summary: 's', roles: ['platform'], params: id, ...command }),
  ]),
  billing: openApiDocument('billing', [
    route({ method: 'GET', path: '/v1/statements', summary: 's', roles: ['billing'], response }),
  ]),
  'audit-log': openApiDocument('audit-log', [
    route({ method: 'GET', path: '/v1/keys', summary: 's', roles: ['compliance'], response }),
  ]),
  ingest: openApiDocument('ingest', [
    route({
      method: 'GET',
      path: '/v1/media/:id',
      summary: 's',
      roles: ['agent'],
      params: id,
      response,
      ...audited('media.read', 'media'),
    }),
  ]),
} as const;
