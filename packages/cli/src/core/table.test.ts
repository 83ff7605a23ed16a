import { describe, expect, test } from 'vitest';
import { renderTable, textWidth } from './table.ts';

describe('renderTable', () => {
  test('centres headings, puts numbers right and texts left', () => {
    const table = {
      headings: ['NAME', 'TASKS', 'ID'],
      rows: [
        ['a', '12', 'x'],
        ['longer', '3', ''],
      ],
    };
    expect(renderTable(table)).toBe('   NAME   TASKS  ID\n  a          12  x\n  longer      3\n');
    expect(renderTable({ ...table, alignment: 'left', indent: 0 })).toBe(
      ' NAME   TASKS  ID\na       12     x\nlonger  3\n',
    );
  });

  test('without rows only the headings are left', () => {
    expect(renderTable({ headings: ['A', 'B'], rows: [] })).toBe('  A  B\n');
  });

  test('control characters cannot break a line or reach the terminal', () => {
    const text = renderTable({ headings: ['A'], rows: [['x\n\u001b[31my\u0007']] });
    expect(text).toBe('     A\n  x [31my\n');
  });

  test('counts wide characters twice', () => {
    expect(textWidth('a日本')).toBe(5);
    expect(renderTable({ headings: ['N', 'V'], rows: [['日本', 'x']] })).toBe(
      ' '.repeat(3) + 'N    V\n  日本  x\n',
    );
  });
});
