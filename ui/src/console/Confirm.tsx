import { Button, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';

type Props = {
  verb: string;
  title: string;
  children: ReactNode;
  act: () => void;
  label: string;
  size?: 'compact-xs' | 'sm';
};

/** What destroys something asks first, and says what will be lost. */
export function Confirm({ verb, title, children, act, label, size = 'compact-xs' }: Props) {
  const [open, dialog] = useDisclosure(false);
  return (
    <>
      <Button size={size} variant="default" onClick={dialog.open} aria-label={label}>
        {verb}
      </Button>
      <Modal opened={open} onClose={dialog.close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
        <Text size="sm" className="anyword" component="div">
          {children}
        </Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={dialog.close}>
            Cancel
          </Button>
          <Button
            color="red.9"
            onClick={() => {
              dialog.close();
              if (open) act(); // not again while the dialog goes
            }}
          >
            {verb}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
