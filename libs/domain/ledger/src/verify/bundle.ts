import { ExportBundle } from '@centralita/contracts';
import { malformed } from '../malformed.js';

/** Reads an export file strictly: unknown fields are refused, so no byte of the file is without meaning. */
export const parseExport = (text: string): ExportBundle => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return malformed('export', 'not JSON');
  }
  const parsed = ExportBundle.strict().safeParse(json);
  return parsed.success
    ? parsed.data
    : malformed('export', parsed.error.issues.map((issue) => issue.path.join('.') || issue.code).join(', '));
};
