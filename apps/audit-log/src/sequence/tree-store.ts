import type { NodeSource, TreeNode } from '@centralita/domain-ledger';
import { PlatformError } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';

/** Complete subtrees of a tenant's log, from the database. */
export const nodesOf =
  (tx: Tx): NodeSource =>
  async (ids) => {
    if (ids.length === 0) return [];
    const rows = await tx.query<{ place: string; hash: Buffer }>(
      `select u.place, n.hash from unnest($2::smallint[], $3::bigint[]) with ordinality as u(level, node_index, place)
       join tree_node n on n.tenant_id = $1 and n.level = u.level and n.node_index = any ($3) and n.node_index = u.node_index order by u.place`,
      [tx.tenantId, ids.map(({ level }) => level), ids.map(({ index }) => index)],
    );
    // A guess in place of a missing node would end in a proof that fails at the auditor's.
    if (rows.length !== ids.length) throw new PlatformError('INTERNAL', 'a node of the tree is missing; run rebuild');
    return rows.map(({ hash }) => hash);
  };

export const insertNodes = async (tx: Tx, nodes: readonly TreeNode[]): Promise<void> => {
  await tx.execute(
    `insert into tree_node (tenant_id, level, node_index, hash) select $1, * from unnest($2::smallint[], $3::bigint[], $4::bytea[])`,
    [tx.tenantId, nodes.map(({ level }) => level), nodes.map(({ index }) => index), nodes.map(({ hash }) => Buffer.from(hash))],
  );
};
