/** Doing something, saying so, reading anew what it changed, and taking it back where that is possible. */
import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';

export type Act = {
  run: () => Promise<unknown>;
  said: string;
  undo?: () => Promise<unknown>; // makes it as it was
};

export function useAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ run }: Act) => run(),
    onSuccess: async (_, { said, undo }) => {
      await client.invalidateQueries();
      const id = notifications.show({
        color: 'teal',
        autoClose: undo ? 10_000 : 4_000,
        message: undo ? <Undo said={said} act={() => back(undo)} /> : said,
        closeButtonProps: { 'aria-label': 'Close' },
      });
      const back = async (again: () => Promise<unknown>) => {
        notifications.hide(id);
        try {
          await again();
          await client.invalidateQueries();
          notifications.show({ color: 'teal', message: 'It is as it was' });
        } catch (error) {
          failed(error as Error);
        }
      };
    },
    onError: failed,
  });
}

function failed(error: Error): void {
  notifications.show({ color: 'red', title: 'That did not work', message: error.message, autoClose: 10_000 });
}

function Undo({ said, act }: { said: string; act: () => Promise<void> }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm" className="anyword">
        {said}
      </Text>
      <Button size="compact-sm" variant="light" onClick={() => void act()}>
        Undo
      </Button>
    </Group>
  );
}
