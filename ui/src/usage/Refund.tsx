/** Giving back what a request cost, in whole or in part, once. The house alone may. */
import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { call } from '~/api/admin';
import type { Receipt } from '~/api/usage';
import { AMOUNT, Ask } from '~/console/Ask';

export function Refund({ receipt }: { receipt: Receipt }) {
  const [part, setPart] = useState('whole');
  return (
    <Ask
      verb="Refund"
      title="Give this money back?"
      plain
      send={(filled) =>
        call('refundReceipt', {
          path: { receipt: receipt.id },
          body: { usd: part === 'whole' ? null : filled.text('usd'), note: filled.text('note') },
        })
      }
      said={() => 'It is given back'}
      submit="Give it back"
    >
      <Text size="sm">
        It is given back once, and cannot be taken again. Budgets and sums count it as not spent; the receipt keeps what
        it cost.
      </Text>
      <Radio.Group aria-label="How much" value={part} onChange={setPart}>
        <Stack gap="xs">
          <Radio value="whole" label={`All of it: $${receipt.cost_usd}`} />
          <Radio value="part" label="A part" />
        </Stack>
      </Radio.Group>
      {part === 'part' && (
        <TextInput label="How much, in USD" name="usd" required {...AMOUNT} placeholder="0.01" data-autofocus />
      )}
      <TextInput label="Why" name="note" maxLength={200} description="For the audit log" />
    </Ask>
  );
}
