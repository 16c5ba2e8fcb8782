/** A list of the admin API as a table: pages of it as one asks, and every state it can be in. */
import { Anchor, Button, Group } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { json } from '~/api/http';
import { at } from '~/base';
import { type Column, DataTable } from '~/parts/DataTable';
import { Blank, Failed, Loading } from '~/parts/states';

type Paged<Row> = { data: Row[]; next?: string | null };
type Props<Row> = {
  path: string; // from pathOf
  columns: Column<Row>[];
  label: string;
  rowKey: (row: Row) => string;
  empty: string;
  dim?: (row: Row) => boolean;
  hint?: ReactNode;
  csv?: boolean;
  every?: number; // milliseconds after which it is read anew
};

const more = (path: string, said: string) => `${path}${path.includes('?') ? '&' : '?'}${said}`;

export function useListed<Row>(path: string, every?: number) {
  const list = useInfiniteQuery({
    queryKey: ['admin', path],
    queryFn: ({ pageParam }) =>
      json<Paged<Row>>(more(path, `limit=50${pageParam ? `&cursor=${encodeURIComponent(pageParam)}` : ''}`)),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
    ...(every ? { refetchInterval: every } : {}),
  });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  return { list, rows };
}

export function Listing<Row extends object>(props: Props<Row>) {
  const { path, columns, label, rowKey, empty, dim, hint, csv = false, every } = props;
  const { list, rows } = useListed<Row>(path, every);
  if (list.isPending) return <Loading />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  return (
    <>
      <DataTable
        label={label}
        rows={rows}
        columns={columns}
        rowKey={rowKey}
        {...(dim ? { dim } : {})}
        empty={<Blank title={empty}>{hint}</Blank>}
      />
      <Group justify="space-between" mt="xs">
        {list.hasNextPage ? (
          <Button variant="subtle" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            More
          </Button>
        ) : (
          <span />
        )}
        {csv && rows.length > 0 && (
          <Anchor href={at(more(path, 'format=csv'))} download size="sm">
            <Group gap={4}>
              <IconDownload size={16} /> CSV
            </Group>
          </Anchor>
        )}
      </Group>
    </>
  );
}
