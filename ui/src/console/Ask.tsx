/** A button that opens a form. What the form holds is read when it is sent; what is wrong is said inside it. */
import { Alert, Button, Modal, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

/** What is typed as money, so that the page itself says what is none. */
export const AMOUNT = { inputMode: 'decimal', pattern: '[0-9]*[.]?[0-9]+', title: 'An amount such as 0.50' } as const;

export type Filled = { text: (name: string) => string; raw: (name: string) => string; has: (name: string) => boolean };
type Props = {
  verb: string;
  title: string;
  label?: string; // for those who do not see what it stands beside
  children: ReactNode;
  send: (filled: Filled) => Promise<unknown>;
  said: (filled: Filled) => string;
  submit?: string;
  small?: boolean;
  plain?: boolean; // not the one thing that the page is for
  size?: string;
};

export function Ask({
  verb,
  title,
  label,
  children,
  send,
  said,
  submit = verb,
  small = false,
  plain = false,
  size = 'md',
}: Props) {
  const [empty, setEmpty] = useState(false);
  const [open, dialog] = useDisclosure(false);
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: async (filled: Filled) => {
      await send(filled);
      return said(filled);
    },
    onSuccess: async (message) => {
      await client.invalidateQueries();
      notifications.show({ color: 'teal', message });
      dialog.close();
    },
  });
  const show = () => {
    setEmpty(false);
    act.reset();
    dialog.open();
  };
  return (
    <>
      <Button
        size={small ? 'compact-xs' : 'sm'}
        variant={small || plain ? 'default' : 'filled'}
        onClick={show}
        aria-label={label}
      >
        {verb}
      </Button>
      <Modal
        opened={open}
        onClose={dialog.close}
        title={title}
        size={size}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            // The browser itself asks for nothing in a field that cannot be typed in, such as a choice.
            const fields = [...event.currentTarget.querySelectorAll<HTMLInputElement>('input:required:read-only')];
            setEmpty(fields.some((one) => one.value === ''));
            if (fields.some((one) => one.value === '')) return;
            const data = new FormData(event.currentTarget);
            const raw = (name: string) => String(data.get(name) ?? ''); // a password may begin with a space
            const text = (name: string) => raw(name).trim();
            act.mutate({ text, raw, has: (name) => text(name) !== '' });
          }}
        >
          <Stack>
            {children}
            {(empty || act.isError) && (
              <Alert color="red" variant="light" role="alert" className="anyword">
                {empty ? 'Something is not chosen yet' : act.error?.message}
              </Alert>
            )}
            <Button type="submit" loading={act.isPending || act.isSuccess} fullWidth>
              {submit}
            </Button>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
