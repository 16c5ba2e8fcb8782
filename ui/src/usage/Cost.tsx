/** What a request cost, told one way wherever it stands in a list: what was not charged, or was given back, says so. */
import { Text } from '@mantine/core';
import { usd } from '~/parts/figures';

type Paid = { cost_usd: string; refunded_usd?: string; simulated: boolean };

export function Cost({ cost_usd, refunded_usd = '0', simulated }: Paid) {
  const back = Number(refunded_usd) > 0;
  return (
    <>
      {usd(cost_usd)}
      {(simulated || back) && (
        <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
          {simulated ? 'not charged' : refunded_usd === cost_usd ? 'given back' : `${usd(refunded_usd)} given back`}
        </Text>
      )}
    </>
  );
}
