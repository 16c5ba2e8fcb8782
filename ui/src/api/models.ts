/** The models this session may run, as the public list tells them. */
import { queryOptions } from '@tanstack/react-query';
import { json } from './http';

export type Model = {
  id: string;
  name: string;
  type: string;
  context_length: number | null;
  safe_context_length: number | null;
  max_output_length: number | null;
  pricing: { prompt: string; completion: string };
  input_modalities: string[];
  supported_features: string[];
  role: string | null;
  tier: string | null;
  status: string;
  limitations: string[];
};

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async () => (await json<{ data: Model[] }>('v1/models')).data,
  staleTime: 5_000,
  refetchInterval: 20_000,
});

export const chats = (model: Model): boolean => model.type === 'chat';
export const sees = (model: Model): boolean => model.input_modalities.includes('image');
