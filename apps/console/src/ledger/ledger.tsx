export const Ledger = (): null => null;
