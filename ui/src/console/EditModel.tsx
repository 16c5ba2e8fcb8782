/** A model's figures and prices. Prices are never changed: a new version is laid over the one before. */
import {
  Badge,
  Button,
  Group,
  Modal,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Table,
  Tabs,
  Text,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type AdminModel, call, type ModelChange, type PriceVersion } from '~/api/admin';
import { when } from '~/parts/figures';
import { PRICES, priceTitle } from '~/parts/prices';
import { Failed, Loading } from '~/parts/states';
import { useAct } from './act';
import { Confirm } from './Confirm';
import css from './console.module.css';
import { Probes } from './Probes';

export function EditModel({ model, close }: { model: AdminModel; close: () => void }) {
  const act = useAct();
  const path = { storefront: model.storefront, model: model.id };
  const save = (body: ModelChange, said: string) =>
    Object.keys(body).length === 0
      ? close() // nothing was changed
      : act.mutate({ run: () => call('changeModel', { path, body }), said }, { onSuccess: close });
  return (
    <Modal opened onClose={close} title={model.id} size="xl" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Tabs defaultValue="figures" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="figures">Figures</Tabs.Tab>
          <Tabs.Tab value="prices">Prices</Tabs.Tab>
          <Tabs.Tab value="versions">Versions</Tabs.Tab>
          <Tabs.Tab value="probes">Probes</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="figures" keepMounted>
          <Figures model={model} busy={act.isPending} save={(body) => save(body, `${model.id} is changed`)} />
        </Tabs.Panel>
        <Tabs.Panel value="prices" keepMounted>
          <Prices
            model={model}
            busy={act.isPending}
            save={(body) =>
              save(
                body,
                body.effective_at
                  ? `The new prices count from ${when(Date.parse(`${body.effective_at}Z`))}`
                  : 'The new prices count from now on',
              )
            }
          />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <Versions model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="probes">
          <Probes model={model} />
        </Tabs.Panel>
      </Tabs>
    </Modal>
  );
}

type FormProps = { model: AdminModel; busy: boolean; save: (body: ModelChange) => void };

function Figures({ model, busy, save }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        const text = (name: string) => String(data.get(name) ?? '').trim();
        const count = (name: 'safe_context' | 'context' | 'max_output') => {
          const now = text(name);
          return now === '' || Number(now) === model[name] ? {} : { [name]: Number(now) };
        };
        const word = (name: 'name' | 'role' | 'tier') =>
          text(name) === '' || text(name) === model[name] ? {} : { [name]: text(name) };
        save({
          ...count('context'),
          ...count('safe_context'),
          ...count('max_output'),
          ...word('name'),
          ...word('role'),
          ...word('tier'),
        });
      }}
    >
      <Stack gap="sm">
        <TextInput label="Name" name="name" required defaultValue={model.name} maxLength={200} />
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <NumberInput
            label="Context"
            name="context"
            min={1}
            required={model.context !== null}
            defaultValue={model.context ?? ''}
          />
          <NumberInput
            label="Safe context"
            name="safe_context"
            min={1}
            required={model.safe_context !== null}
            defaultValue={model.safe_context ?? ''}
          />
          <NumberInput
            label="Longest answer"
            name="max_output"
            min={1}
            required={model.max_output !== null}
            defaultValue={model.max_output ?? ''}
          />
        </SimpleGrid>
        <Text size="xs" c="dimmed">
          The safe context is what is advertised and enforced: below the context, so that tools and the answer have
          room.
        </Text>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            label="Role in Flux"
            name="role"
            data={['SOURCE', 'FUSE', 'BOTH']}
            allowDeselect={false}
            defaultValue={model.role}
          />
          <Select
            label="Tier"
            name="tier"
            data={['core', 'pro', 'ultra']}
            allowDeselect={false}
            defaultValue={model.tier}
          />
        </SimpleGrid>
        <Text size="xs" c="dimmed" className="anyword">
          Pool {model.pool}: {model.targets.join(', ') || 'no target is live'}
        </Text>
        <Button type="submit" loading={busy}>
          Save
        </Button>
      </Stack>
    </form>
  );
}

function Prices({ model, busy, save }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        const prices = Object.fromEntries(
          PRICES.flatMap(({ name }) => {
            const said = String(data.get(name) ?? '').trim();
            return said ? [[name, said]] : [];
          }),
        );
        const from = String(data.get('from') ?? '');
        save({
          prices,
          currency: String(data.get('currency') ?? model.currency),
          ...(from ? { effective_at: new Date(from).toISOString().slice(0, 19) } : {}),
        });
      }}
    >
      <Text size="sm" c="dimmed" mb="sm">
        Per million tokens, in {model.currency}. What is left empty is not charged by itself. With a date, the prices
        begin then; without one, at once. Receipts keep the prices they were written with.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
        {PRICES.map(({ name, title, each }) => (
          <TextInput
            key={name}
            label={each ? `${title}, each` : title}
            name={name}
            inputMode="decimal"
            pattern="[0-9]*[.]?[0-9]*"
            required={name === 'input' || name === 'output'}
            defaultValue={model.prices[name] ?? ''}
          />
        ))}
      </SimpleGrid>
      <Group justify="space-between" mt="md" align="flex-end">
        <Group gap="sm" align="flex-end">
          <Select
            label="Currency"
            name="currency"
            w={110}
            allowDeselect={false}
            data={['USD', 'CNY', 'EUR']}
            defaultValue={model.currency}
          />
          <TextInput type="datetime-local" label="From" name="from" aria-description="Empty: from now on" />
        </Group>
        <Button type="submit" loading={busy}>
          Make a new version
        </Button>
      </Group>
    </form>
  );
}

function Versions({ model }: { model: AdminModel }) {
  const path = { storefront: model.storefront, model: model.id };
  const versions = useQuery({
    queryKey: ['admin', 'prices', model.storefront, model.id],
    queryFn: () => call('listPrices', { path }),
  });
  const act = useAct();
  if (versions.isPending) return <Loading />;
  if (versions.isError) return <Failed error={versions.error} retry={() => void versions.refetch()} />;
  const back = (one: PriceVersion) =>
    act.mutate({
      run: () => call('rejectChanges', { body: { ids: [Number(one.change)] } }),
      said: `${one.version} is taken back`,
    });
  return (
    <Table aria-label="Price versions" verticalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Version</Table.Th>
          <Table.Th>Since</Table.Th>
          <Table.Th>Prices</Table.Th>
          <Table.Th />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {versions.data.data.map((one) => (
          <Table.Tr key={one.version}>
            <Table.Td>
              <span className="anyword">{one.version}</span> {one.current && <Badge size="xs">in force</Badge>}
              {one.scheduled && (
                <Badge size="xs" color="yellow">
                  later
                </Badge>
              )}
              {one.by && (
                <Text size="xs" c="dimmed">
                  by {one.by}
                </Text>
              )}
            </Table.Td>
            <Table.Td>{one.effective_at ? when(one.effective_at * 1000) : 'as shipped'}</Table.Td>
            <Table.Td>
              {Object.entries(one.prices)
                .filter(([name, value]) => value !== null && name !== 'unit' && name !== 'currency')
                .map(([name, value]) => (
                  <Text key={name} size="xs">
                    <span className={css.quiet}>{priceTitle(name)}</span> {String(value)}
                  </Text>
                ))}
            </Table.Td>
            <Table.Td>
              {one.change !== null && (
                <Confirm
                  verb="Take back"
                  label={`Take back ${one.version}`}
                  title={`Take ${one.version} back?`}
                  act={() => back(one)}
                >
                  {one.current
                    ? 'The prices before it count again from now on. '
                    : 'What is in force now stays as it is. '}
                  It cannot be brought back, but the same prices can be set anew.
                </Confirm>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
