import { describe, expect, it } from '@jest/globals';
import { prepared, statementOf } from './prepared.js';

const nameAfter = (uses: number, sql: string, values: readonly unknown[] = [1]): string | undefined => {
  for (let use = 1; use < uses; use += 1) statementOf(sql, values);
  return statementOf(sql, values).name;
};

describe('named statements', () => {
  it('names what was declared from the first time on', () => {
    const sql = prepared('select declared from t where a = $1');
    const { name, ...rest } = statementOf(sql, [1]);
    expect(name).toMatch(/^centralita_\d+$/);
    expect(rest).toEqual({ text: sql, values: [1] });
    expect(prepared(sql)).toBe(sql);
  });

  it('names what is made often, always the same way', () => {
    const sql = 'select often from t where a = $1';
    expect(nameAfter(9, sql)).toBeUndefined();
    const name = nameAfter(1, sql);
    expect(name).toMatch(/^centralita_\d+$/);
    expect(nameAfter(5, sql)).toBe(name);
    expect(nameAfter(20, 'select other from t where a = $1')).not.toBe(name);
  });

  it('never names what has no values, nor an answer whose shape a migration may change', () => {
    expect(nameAfter(50, 'savepoint one_record', [])).toBeUndefined();
    for (const sql of [
      'select * from t where a = $1',
      'select t.* from t where a = $1',
      'with m as (select a from t where a = $1) select * from m',
      'update t set b = $1 returning *',
    ])
      expect([sql, nameAfter(50, sql)]).toEqual([sql, undefined]);
    expect(nameAfter(50, 'insert into t (a, b) select $1, * from unnest($2::int[])')).toBeDefined();
  });

  it('does not remember texts that vary without end', () => {
    for (let text = 0; text < 1_000; text += 1) statementOf(`select ${String(text)} from t where a = $1`, [1]);
    expect(nameAfter(50, 'select late from t where a = $1')).toBeUndefined();
  });
});
