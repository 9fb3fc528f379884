import type { ProofView, RecordDetail } from '@centralita/contracts';
import type { z } from 'zod';
import { get } from '../api/client.js';
import { checkProof, type ProofCheck } from './check-proof.js';

export type Checked = { readonly check: ProofCheck | null; readonly proof: ProofView; readonly at: number };

/** Fetches the proof and the log's key, and checks them here. `check` is null when the material cannot be read as what it claims to be. */
export const fetchAndCheck = async (record: z.infer<typeof RecordDetail>): Promise<Checked> => {
  const [{ body: proof }, { body: keys }] = await Promise.all([
    get<ProofView>(`/v1/records/${record.leafIndex}/proof`),
    get<{ items: { verifierKey: string }[] }>('/v1/keys'),
  ]);
  const check = await checkProof(record, proof, keys.items[0]?.verifierKey ?? '').catch(() => null);
  return { check, proof, at: Date.now() };
};
