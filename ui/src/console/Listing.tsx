/** A list of the admin API as a table: pages of it as one asks, and every state it can be in. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { type Ask, json } from '~/api/http';
import { type Column, DataTable } from '~/parts/DataTable';
import { Empty, Failed, Loading } from '~/parts/states';

const ADMIN = 'admin/api/v1/';
type Paged<Row> = { data: Row[]; next: string | null };
type Props<Row> = {
  path: string;
  columns: Column<Row>[];
  label: string;
  rowKey: (row: Row) => string;
  empty: string;
  dim?: (row: Row) => boolean;
  hint?: ReactNode;
};

export function Listing<Row extends object>({ path, columns, label, rowKey, empty, dim, hint }: Props<Row>) {
  const list = useInfiniteQuery({
    queryKey: ['admin', path],
    queryFn: ({ pageParam }) =>
      json<Paged<Row>>(
        `${ADMIN}${path}${path.includes('?') ? '&' : '?'}limit=100${pageParam ? `&cursor=${encodeURIComponent(pageParam)}` : ''}`,
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
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
        empty={<Empty title={empty}>{hint}</Empty>}
      />
      {list.hasNextPage && (
        <Button variant="subtle" mt="sm" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          More
        </Button>
      )}
    </>
  );
}

type Act = Ask & { path: string; said: string };

/** Does something, says so, and reads anew what it may have changed. */
export function useAct<Answer = unknown>(done?: (answer: Answer) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ path, said: _, ...ask }: Act) => json<Answer>(ADMIN + path, ask),
    onSuccess: async (answer, { said }) => {
      await client.invalidateQueries();
      notifications.show({ color: 'teal', message: said });
      done?.(answer);
    },
    onError: (error) =>
      notifications.show({ color: 'red', title: 'That did not work', message: error.message, autoClose: 10_000 }),
  });
}
