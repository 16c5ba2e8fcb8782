/** A table whose columns sort. Rows come filtered; a page of them is painted at a time. */
import { Button, Center, Table, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconSelector } from '@tabler/icons-react';
import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { type ReactNode, useMemo, useState } from 'react';
import css from './table.module.css';

export type Column<Row> = {
  id: string;
  title: string;
  value?: (row: Row) => string | number | null; // what it sorts by; a column without one does not sort
  cell?: (row: Row) => ReactNode;
  right?: boolean;
};

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
});
const AT_ONCE = 100;

/** Where nothing is known, or nothing was said, there is one sign for it. */
const plain = (value: string | number | null | undefined) =>
  value === undefined || value === '' ? '–' : (value ?? '–');

type Props<Row> = {
  rows: Row[];
  columns: Column<Row>[];
  label: string;
  rowKey: (row: Row) => string;
  dim?: (row: Row) => boolean;
  empty?: ReactNode;
};

export function DataTable<Row extends object>({ rows, columns, label, rowKey, dim, empty }: Props<Row>) {
  const [most, setMost] = useState(AT_ONCE);
  const defined = useMemo(
    () =>
      columns.map(
        (column): ColumnDef<typeof features, Row> => ({
          id: column.id,
          header: column.title,
          accessorFn: (row: Row) => column.value?.(row) ?? undefined,
          enableSorting: column.value !== undefined,
          sortFn: 'basic',
          sortUndefined: 'last',
        }),
      ),
    [columns],
  );
  const table = useTable({ features, columns: defined, data: rows });
  const byId = new Map(columns.map((column) => [column.id, column]));
  const sorted = table.getRowModel().rows;
  if (rows.length === 0) return <>{empty}</>;
  return (
    <div className={css.frame} tabIndex={0} role="region" aria-label={label}>
      <Table verticalSpacing="xs" horizontalSpacing="sm" highlightOnHover className={`${css.table} ${css.cards}`}>
        <Table.Thead>
          {table.getHeaderGroups().map((group) => (
            <Table.Tr key={group.id}>
              {group.headers.map((header) => {
                const column = byId.get(header.column.id);
                const order = header.column.getIsSorted();
                const title = <span>{column?.title}</span>;
                return (
                  <Table.Th
                    key={header.id}
                    data-right={column?.right || undefined}
                    aria-sort={order === 'asc' ? 'ascending' : order === 'desc' ? 'descending' : undefined}
                  >
                    {header.column.getCanSort() ? (
                      <UnstyledButton className={css.sort} onClick={header.column.getToggleSortingHandler()}>
                        {title}
                        {order === 'asc' ? (
                          <IconArrowUp size={13} />
                        ) : order === 'desc' ? (
                          <IconArrowDown size={13} />
                        ) : (
                          <IconSelector size={13} opacity={0.5} />
                        )}
                      </UnstyledButton>
                    ) : (
                      title
                    )}
                  </Table.Th>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Thead>
        <Table.Tbody>
          {sorted.slice(0, most).map((row) => (
            <Table.Tr key={rowKey(row.original)} data-dim={dim?.(row.original) || undefined}>
              {columns.map((column) => (
                <Table.Td key={column.id} data-right={column.right || undefined} data-title={column.title}>
                  {column.cell ? column.cell(row.original) : plain(column.value?.(row.original))}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {sorted.length > most && (
        <Center p="sm">
          <Button variant="subtle" size="xs" onClick={() => setMost(most + AT_ONCE * 5)}>
            {sorted.length - most} more
          </Button>
        </Center>
      )}
    </div>
  );
}
