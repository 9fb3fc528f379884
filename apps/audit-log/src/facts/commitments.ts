import type { Keyring } from '@centralita/keyring';

/** One question for all. An erased customer has no commitment any more, and needs none: nobody may read them. */
export const commitmentsOf = async (
  keyring: Keyring,
  tenantId: string,
  subjectIds: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const subjects = [...new Set(subjectIds)];
  if (subjects.length === 0) return new Map();
  const keys = await keyring.sealer(tenantId, subjects);
  return new Map(
    subjects.filter((subject) => keys.state(subject) !== 'destroyed').map((subject) => [subject, keys.commitment(subject)]),
  );
};
