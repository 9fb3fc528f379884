import { ExportBundle, Sha256Hex } from '@centralita/contracts';
import { z } from 'zod';
import { malformed } from '../malformed.js';

const Decimal = z.string().regex(/^(0|[1-9]\d{0,19})$/);

/**
 * Leaves [from, to) of one log, verbatim, with all that an offline verifier needs. `leafHashes` are redundant with the leaves on
 * purpose: they name the record that was changed, where a wrong root alone could not.
 */
export const AuditExport = ExportBundle.extend({
  from: Decimal,
  to: Decimal.describe('index after the last leaf'),
  leafHashes: z.array(Sha256Hex).describe('RFC 6962 leaf hash of each leaf'),
  path: z
    .array(Sha256Hex)
    .describe('roots of the complete subtrees left of the range, then right of it, each from left to right'),
});
export type AuditExport = z.infer<typeof AuditExport>;

/** Reads an export file strictly: unknown fields are refused, so no byte of the file is without meaning. */
export const parseExport = (text: string): AuditExport => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return malformed('export', 'not JSON');
  }
  const parsed = AuditExport.strict().safeParse(json);
  return parsed.success
    ? parsed.data
    : malformed('export', parsed.error.issues.map((issue) => issue.path.join('.') || issue.code).join(', '));
};
