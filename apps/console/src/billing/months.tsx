export const Months = (): null => null;
