import { Readable } from 'node:stream';
import { Accepted, page, personal, PlatformError, Uuid } from '@centralita/contracts';
import { causalToken, Commands, Database, EventStore, eventStoreMigrations, tenantTable, type Tx } from '@centralita/event-store';
import { Controller, Module } from '@nestjs/common';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { v5 as uuidV5 } from 'uuid';
import { z } from 'zod';
import { binary } from '../endpoint/binary.js';
import { disclosure, reply, type Disclosure, type Reply } from '../endpoint/result.js';
import { Endpoint, route, type InputOf } from '../endpoint/route.js';

/** A small service with one route of each kind, for the specs of this package. */
export class NotesTable1764000000001 implements MigrationInterface {
  readonly name = 'NotesTable1764000000001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create table note (tenant_id uuid not null, id uuid not null, text text not null, primary key (tenant_id, id))',
    );
    for (const statement of tenantTable('note')) await runner.query(statement);
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table note');
  }
}
export const fixtureMigrations = [...eventStoreMigrations, NotesTable1764000000001];

const Row = z.object({ id: Uuid, name: personal(z.string()) });
export const listRows = route({
  method: 'GET',
  path: '/v1/rows',
  summary: 'Rows with names.',
  roles: ['agent', 'supervisor'],
  query: z.object({ subjects: z.string() }),
  response: page(Row),
  audited: { action: 'rows.list', resource: 'rows' },
});
export const readRow = route({
  method: 'GET',
  path: '/v1/rows/:id',
  summary: 'One row.',
  roles: ['agent', 'compliance'],
  params: z.object({ id: Uuid }),
  query: z.object({ refuse: z.string().optional() }),
  response: Row,
  audited: { action: 'row.read', resource: 'row' },
});
export const readBytes = route({
  method: 'GET',
  path: '/v1/bytes/:id',
  summary: 'Bytes of a row.',
  roles: ['agent'],
  params: z.object({ id: Uuid }),
  response: binary(),
  audited: { action: 'bytes.read', resource: 'bytes' },
});
export const writeNote = route({
  method: 'POST',
  path: '/v1/notes',
  summary: 'Writes a note.',
  roles: ['agent'],
  body: z.object({ text: z.string().min(1).max(20) }),
  response: Accepted,
  status: 202,
  idempotent: true,
});
export const readNote = route({
  method: 'GET',
  path: '/v1/notes/:id',
  summary: 'Reads a note of no customer.',
  roles: ['agent', 'platform'],
  params: z.object({ id: Uuid }),
  response: z.object({ text: z.string() }),
});
export const changeNote = route({
  method: 'PUT',
  path: '/v1/notes/:id',
  summary: 'Changes a note.',
  roles: ['agent'],
  params: z.object({ id: Uuid }),
  body: z.object({ text: z.string() }),
  response: Accepted,
  idempotent: true,
  ifMatch: 'required',
});
const seesHidden = route({
  method: 'GET',
  path: '/v1/wrong',
  summary: 'Answers against its schema.',
  roles: ['agent'],
  response: z.object({ count: z.number() }),
});

/** What a spec looks at: called when the first byte of a stream is asked for. */
export const probes = { beforeFirstByte: async (): Promise<void> => undefined, runs: 0 };

@Controller()
export class FixtureController {
  constructor(
    private readonly db: Database,
    private readonly store: EventStore,
    private readonly commands: Commands,
  ) {}

  @Endpoint(listRows)
  async list(input: InputOf<typeof listRows>): Promise<Disclosure<{ items: { id: string; name: string }[]; nextCursor: null }>> {
    const subjects = input.query.subjects.split(',').filter((id) => id !== '');
    const items = subjects.map((id) => ({ id, name: 'Canary Customer' }));
    return disclosure({
      body: { items, nextCursor: null },
      subjects,
      fields: ['display_name'],
      resultCount: items.length,
      list: true,
      reason: { code: 'QUEUE_TRIAGE' },
    });
  }

  @Endpoint(readRow)
  async read(input: InputOf<typeof readRow>): Promise<Disclosure<{ id: string; name: string; hidden: string }>> {
    if (input.query.refuse) throw new PlatformError('FORBIDDEN', 'not in your queue');
    const body = { id: input.params.id, name: 'Canary Customer', hidden: 'not in the schema' };
    return disclosure({
      body,
      subjects: [input.params.id],
      fields: ['display_name', 'phone', 'display_name'],
      resultCount: 1,
      etag: '7',
      reason: { code: 'SUBJECT_REQUEST', reference: 'DSAR-1', text: 'asked by letter' },
    });
  }

  @Endpoint(readBytes)
  async bytes(input: InputOf<typeof readBytes>): Promise<Disclosure<{ bytes: Readable; contentType: string }>> {
    const bytes = Readable.from(
      (async function* () {
        await probes.beforeFirstByte();
        yield Buffer.from('canary bytes');
      })(),
    );
    return disclosure({
      body: { bytes, contentType: 'image/png' },
      subjects: [input.params.id],
      fields: ['media'],
      resultCount: 1,
    });
  }

  @Endpoint(writeNote)
  async write(input: InputOf<typeof writeNote>): Promise<Reply<z.infer<typeof Accepted>>> {
    const { result } = await this.commands.run({
      tenantId: input.tenantId,
      ...input.command,
      work: async (tx) => {
        probes.runs += 1;
        const id = uuidV5(input.idempotencyKey ?? '', tx.tenantId);
        await tx.execute('insert into note (tenant_id, id, text) values ($1, $2, $3)', [tx.tenantId, id, input.body.text]);
        const token = await this.#announce(tx, id);
        return { id, version: '1', token };
      },
    });
    return reply({ id: result.id, version: result.version }, { causalToken: result.token });
  }

  @Endpoint(readNote)
  async note(input: InputOf<typeof readNote>): Promise<{ text: string }> {
    const [row] = await this.db.withTenant(input.tenantId, (tx) =>
      tx.query<{ text: string }>('select text from note where id = $1', [input.params.id]),
    );
    if (!row) throw new PlatformError('NOT_FOUND', 'there is nothing here');
    return row;
  }

  @Endpoint(changeNote)
  async change(input: InputOf<typeof changeNote>): Promise<z.infer<typeof Accepted>> {
    if (input.ifMatch !== '1') throw new PlatformError('VERSION_CONFLICT', 'the note is at version 1', { version: '1' });
    return { id: input.params.id, version: '2' };
  }

  @Endpoint(seesHidden)
  async wrong(): Promise<{ count: number }> {
    return { count: 'Canary Customer' as unknown as number };
  }

  /** Any event will do, for the feed and the causal token. */
  async #announce(tx: Tx, id: string): Promise<string> {
    const [appended] = await this.store.append(tx, 'operations.events.v1', [
      {
        key: id,
        streamId: id,
        expectedVersion: 0,
        type: 'projection.rebuilt.v1',
        data: { service: 'conversation', projection: 'notes', rows: '1', at: new Date().toISOString() },
      },
    ]);
    return causalToken.encode('operations.events.v1', id, appended?.keyVersion ?? 0n);
  }
}

@Module({ controllers: [FixtureController] })
export class FixtureModule {}
