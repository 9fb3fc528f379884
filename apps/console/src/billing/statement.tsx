export const StatementPage = (): null => null;
