import { Alert, Button, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { call } from '~/api/admin';
import { useSession } from '~/api/session';
import { Figure } from '~/parts/Figure';
import { Page } from '~/parts/Page';
import { Failed, Loading } from '~/parts/states';
import { useAct } from './act';
import css from './console.module.css';
import { groupsFor } from './pages';

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
      <Pages house={Boolean(session.house)} />
    </Page>
  );
}

function House() {
  const server = useQuery({
    queryKey: ['admin', 'server'],
    queryFn: () => call('getServer'),
    refetchInterval: 5_000,
  });
  const ledger = useQuery({ queryKey: ['admin', 'ledger'], queryFn: () => call('getLedger') });
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
        <Alert key={name} color="yellow" mb="xs" title={name} classNames={{ message: css.plain }}>
          {String(text)}
        </Alert>
      ))}
      {now.simulated && (
        <Alert color="gray" mb="md" title="Simulated" classNames={{ message: css.plain, label: css.plain }}>
          No provider is configured, so the simulator answers and nothing is charged. Set a provider’s key, or add its
          credential under Providers.
        </Alert>
      )}
      <Group>
        <Button
          variant="default"
          loading={act.isPending}
          onClick={() => act.mutate({ run: () => call('reloadServer'), said: 'The configuration was read anew' })}
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

function Pages({ house }: { house: boolean }) {
  return groupsFor(house)
    .filter((group) => group.title)
    .map((group) => (
      <section key={group.title}>
        <Title order={2} size="h5" mt={32} mb="xs">
          {group.title}
        </Title>
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
          {group.pages.map((one) => (
            <Link key={one.to} to={one.to} className={css.tile}>
              <Text fw={600} size="sm">
                {one.title}
              </Text>
              <Text size="xs" c="dimmed">
                {one.about}
              </Text>
            </Link>
          ))}
        </SimpleGrid>
      </section>
    ));
}

function uptime(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  return hours >= 48
    ? `${Math.floor(hours / 24)} days`
    : hours > 0
      ? `${hours} h`
      : `${Math.max(1, Math.floor(seconds / 60))} min`;
}
