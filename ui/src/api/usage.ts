/** What was used and what it cost. */
import { queryOptions } from '@tanstack/react-query';
import type { Route } from './admin.gen';
import { json } from './http';

export type Buckets = Record<string, number>;
export type UsageRow = {
  day?: string;
  model?: string;
  key?: string;
  user?: string;
  simulated: boolean;
  requests: number;
  cost_usd: string;
  credits: string;
  usage: Buckets;
};
export type Usage = { from: string; to: string; data: UsageRow[]; total: Omit<UsageRow, 'simulated'> };
export type ReceiptRow = {
  id: string;
  created: number;
  key: string;
  user: string;
  workspace: string;
  requested_model: string;
  served_model: string | null;
  ending: string;
  status: number;
  input_tokens: number;
  output_tokens: number;
  latency_ms: number;
  first_byte_ms: number | null;
  simulated: boolean;
  cost_usd: string;
  refunded_usd: string;
};
export type Receipt = {
  id: string;
  created: number;
  requested_model: string;
  served_model: string | null;
  status: string;
  usage: Buckets;
  provenance: string;
  price_version: string;
  cost_usd: string;
  refunded_usd: string;
  credits: string;
  simulated: boolean;
  lines: { bucket: string; quantity: number; unit_price: string; amount: string }[];
  calls: {
    role: string;
    model: string;
    status: string;
    latency_ms: number;
    cost_usd: string;
    reason: string | null;
    usage?: Buckets | null;
    target?: string;
  }[];
  dropped: string[];
  route: Route;
};
export type KeySelf = {
  budgets: {
    scope: string;
    window: string;
    spent_usd: string;
    held_usd: string;
    cap_usd: string | null;
    left_usd: string | null;
    resets_at?: string | null;
  }[];
};

const USAGE = 'admin/api/v1/usage';
export const usagePath = (by: string, from: string): string => `${USAGE}?group_by=${by}&from=${from}`;

export const usageQuery = (by: string, from: string) =>
  queryOptions({ queryKey: ['usage', by, from], queryFn: () => json<Usage>(usagePath(by, from)) });

export type LogFilter = { model: string; ending: string };
export const receiptsPath = ({ model, ending }: LogFilter, cursor?: string): string => {
  const asked = new URLSearchParams({ limit: '50' });
  if (model) asked.set('model', model);
  if (ending) asked.set('ending', ending);
  if (cursor) asked.set('cursor', cursor);
  return `admin/api/v1/receipts?${asked.toString()}`;
};

export const receiptQuery = (id: string) =>
  queryOptions({
    queryKey: ['receipt', id],
    queryFn: () => json<Receipt>(`admin/api/v1/receipts/${encodeURIComponent(id)}`),
  });

export const keyQuery = queryOptions({ queryKey: ['key'], queryFn: () => json<KeySelf>('v1/key') });
