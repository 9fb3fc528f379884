import type { MigrationInterface, QueryRunner } from 'typeorm';

const PUBLISHED = 'relay_published(uuid[], text[], uuid[], bigint[], bigint[], uuid[], text[])';
/** Ways to read a table that cost by its length and not by what is looked for. Hashing stays: pointers and their heads are joined by it. */
const WAYS = ['enable_seqscan', 'enable_mergejoin'] as const;

/**
 * A function's plans are made when it is first called on a connection, in a young store of next to nothing, and stay until the tables are
 * analysed: by then a pass of the relay hashed all heads for the few that it moved.
 */
export class EventStorePlans1764300000000 implements MigrationInterface {
  readonly name = 'EventStorePlans1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const way of WAYS) await runner.query(`alter function ${PUBLISHED} set ${way} = off`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const way of WAYS) await runner.query(`alter function ${PUBLISHED} reset ${way}`);
  }
}
