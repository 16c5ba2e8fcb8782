import { Alert, Button, Group, Paper, SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { json } from '~/api/http';
import { useSession } from '~/api/session';
import { Page } from '~/parts/Page';
import { Failed, Loading } from '~/parts/states';
import { useAct } from './Listing';

type Server = {
  version: string;
  address: string;
  uptime_seconds: number;
  in_flight: number;
  simulated: boolean;
  problems: Record<string, unknown>;
};
type Ledger = { trouble: string | null; checked: number | null };

export function OverviewPage() {
  const session = useSession();
  return (
    <Page
      title="Console"
      about={
        session.house ? 'How the gateway is.' : `What belongs to ${session.workspace}: its people, keys and limits.`
      }
    >
      {session.house && <House />}
    </Page>
  );
}

function House() {
  const server = useQuery({
    queryKey: ['admin', 'server'],
    queryFn: () => json<Server>('admin/api/v1/server'),
    refetchInterval: 5_000,
  });
  const ledger = useQuery({ queryKey: ['admin', 'ledger'], queryFn: () => json<Ledger>('admin/api/v1/ledger') });
  const act = useAct();
  if (server.isPending) return <Loading />;
  if (server.isError) return <Failed error={server.error} retry={() => void server.refetch()} />;
  const now = server.data;
  const trouble = ledger.data?.trouble;
  return (
    <>
      <SimpleGrid cols={{ base: 2, md: 4 }} mb="md">
        <Figure title="Version">{now.version}</Figure>
        <Figure title="Up for">{uptime(now.uptime_seconds)}</Figure>
        <Figure title="Under way">{now.in_flight}</Figure>
        <Figure title="Ledger">{trouble ? 'in trouble' : 'in order'}</Figure>
      </SimpleGrid>
      {trouble && (
        <Alert color="red" mb="md" role="alert">
          {trouble}
        </Alert>
      )}
      {Object.entries(now.problems).map(([name, text]) => (
        <Alert
          key={name}
          color="yellow"
          mb="xs"
          title={name}
          styles={{ message: { color: 'var(--mantine-color-text)' } }}
        >
          {String(text)}
        </Alert>
      ))}
      {now.simulated && (
        <Alert
          color="gray"
          mb="md"
          title="Simulated"
          styles={{ message: { color: 'var(--mantine-color-text)' }, label: { color: 'var(--mantine-color-text)' } }}
        >
          No provider is configured, so the simulator answers and nothing is charged. Set a provider’s key, or add its
          credential under Providers.
        </Alert>
      )}
      <Group>
        <Button
          variant="default"
          loading={act.isPending}
          onClick={() => act.mutate({ method: 'POST', path: 'server/reload', said: 'The configuration was read anew' })}
        >
          Read the configuration anew
        </Button>
        <Button variant="default" component="a" href={new URL('admin/api/docs', document.baseURI).href}>
          Admin API
        </Button>
      </Group>
    </>
  );
}

function uptime(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  return hours >= 48
    ? `${Math.floor(hours / 24)} days`
    : hours > 0
      ? `${hours} h`
      : `${Math.max(1, Math.floor(seconds / 60))} min`;
}

function Figure({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md">
      <Text size="sm" c="dimmed">
        {title}
      </Text>
      <Text fz={24} fw={630} className="numbers">
        {children}
      </Text>
    </Paper>
  );
}
