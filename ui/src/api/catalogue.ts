/** The whole catalogue, as everybody may see it. */
import { queryOptions } from '@tanstack/react-query';
import { json } from './http';

export type Storefront = { id: string; name: string; mount: string; billing: string; models: number };
export type Entry = {
  storefront: string;
  id: string;
  name: string;
  provider: string;
  status: string;
  live: boolean;
  role: string | null;
  tier: string | null;
  lane: string;
  context: number | null;
  context_text: string;
  safe_context: number | null;
  safe_context_text: string;
  max_output: number | null;
  currency: string;
  prices: Record<string, string>;
  tags: string[];
  aliases: string[];
  limitations: string[];
  assumed: string[];
  description: string;
  kind: string;
  account: boolean;
  effort: string | null;
  input_modalities: string[];
  output_modalities: string[];
  supported_parameters: string[];
  agent: boolean;
  dimensions: number[];
  lately: { uptime: number | null; latency_ms: number | null; first_byte_ms: number | null };
};
export type Choosing = {
  storefront: string;
  by_task: { task: string; models: string[] }[];
  by_need: { need: string; look_at: string }[];
};
export type Catalogue = { storefronts: Storefront[]; models: Entry[]; choosing: Choosing; simulated: boolean };

export const catalogueQuery = queryOptions({
  queryKey: ['catalogue'],
  queryFn: () => json<Catalogue>('admin/api/v1/catalogue'),
  staleTime: 30_000,
});
