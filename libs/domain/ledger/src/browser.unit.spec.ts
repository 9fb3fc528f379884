import { describe, expect, it } from '@jest/globals';
import { verifyAsync } from '@noble/ed25519';
import { sha256 as noble } from '@noble/hashes/sha2.js';
import { exportOf, ledger, trust } from './fixtures.spec.js';
import { verifyExport, type Trust } from './index.js';

/** What a page brings along instead of node:crypto. */
const inBrowser: Trust = {
  hash: noble,
  verify: (publicKey, message, signature) => verifyAsync(signature, message, publicKey),
  keys: trust().keys,
};

describe('the ledger in a browser', () => {
  it('comes to the same verdicts with other code for hashes and signatures', async () => {
    const bundle = await exportOf(ledger([[1], [1, 2, 3], [2], []]), { from: 1, to: 6 });
    const changed = { ...bundle, leaves: bundle.leaves.with(1, (bundle.leaves[1] as string).replace('agent', 'agenu')) };
    const forged = { ...bundle, checkpoint: bundle.checkpoint.replace('\n7\n', '\n8\n') };
    for (const each of [bundle, changed, forged])
      expect(await verifyExport(each, inBrowser)).toEqual(await verifyExport(each, trust()));
    expect((await verifyExport(bundle, inBrowser)).findings).toEqual([]);
    expect((await verifyExport(changed, inBrowser)).findings).not.toEqual([]);
    expect((await verifyExport(forged, inBrowser)).findings).not.toEqual([]);
  });
});
