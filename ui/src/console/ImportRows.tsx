/** Models and pools from a file: looked at first, taken over only when somebody has seen what it says. */
import { Alert, Button, FileInput, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Imported } from '~/api/admin';
import { CodeBlock } from '~/parts/CodeBlock';
import { textOf } from '~/parts/file';

const MOST = 4_000_000; // characters the gateway takes

type Read = { name: string; content: string; found: Imported };

export function ImportRows() {
  const [open, dialog] = useDisclosure(false);
  const client = useQueryClient();
  const [read, setRead] = useState<Read | null>(null);
  // Anew for each file, so that one that was mended can be chosen again.
  const [chosen, setChosen] = useState<{ file: File | null; turn: number }>({ file: null, turn: 0 });
  const look = useMutation({
    mutationFn: async (file: File): Promise<Read> => {
      const content = await textOf(file, MOST, 'split it');
      return { name: file.name, content, found: await call('importRows', { body: { name: file.name, content } }) };
    },
    onMutate: (file) => {
      setRead(null);
      setChosen((before) => ({ file, turn: before.turn + 1 }));
    },
    onSuccess: setRead,
  });
  const take = useMutation({
    mutationFn: ({ name, content }: Read) => call('importRows', { body: { name, content, store: true } }),
    onSuccess: async (_, { name }) => {
      await client.invalidateQueries();
      notifications.show({ color: 'teal', message: `${name} counts from now on` });
      close();
    },
  });
  const close = () => {
    setRead(null);
    setChosen({ file: null, turn: 0 });
    look.reset();
    take.reset();
    dialog.close();
  };
  const error = look.error ?? take.error;
  return (
    <>
      <Button variant="default" onClick={dialog.open}>
        Import rows
      </Button>
      <Modal
        opened={open}
        onClose={close}
        size="lg"
        title="Import models and pools"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          <FileInput
            key={chosen.turn}
            value={chosen.file}
            label="File"
            description="TOML as in catalogue/, JSON, or CSV with a header such as storefront,id,context. It is only looked at first."
            placeholder="Choose a file"
            accept=".toml,.json,.csv,text/csv,application/json"
            onChange={(file) => file && look.mutate(file)}
          />
          {look.isPending && (
            <Text size="sm" c="dimmed" role="status">
              Looking at it…
            </Text>
          )}
          {error && (
            <Alert color="red" variant="light" role="alert" className="anyword" style={{ whiteSpace: 'pre-line' }}>
              {error.message}
            </Alert>
          )}
          {read && <Found found={read.found} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button
              disabled={!read || counted(read.found) === 0}
              loading={take.isPending}
              onClick={() => read && take.mutate(read)}
            >
              Take it over
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

const counted = (found: Imported): number => Object.values(found.rows).reduce((sum, one) => sum + one, 0);

function Found({ found }: { found: Imported }) {
  const said = Object.entries(found.rows)
    .filter(([, count]) => count > 0)
    .map(([table, count]) => `${count} ${table}${count === 1 ? '' : 's'}`)
    .join(', ');
  if (!said) return <Text size="sm">There is no row in it.</Text>;
  return (
    <div role="status">
      <Text size="sm" mb="xs">
        It reads well: {said}. Nothing is changed yet. Taken over, it says this of the catalogue, and can be taken back
        among the accepted changes:
      </Text>
      <div style={{ maxHeight: 320, overflow: 'auto' }} tabIndex={0} role="region" aria-label="What it says">
        <CodeBlock code={String(found.toml ?? '')} language="toml" />
      </div>
    </div>
  );
}
